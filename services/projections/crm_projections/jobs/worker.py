"""Does jobs one after the other inside a process that follows views."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final

import structlog
from crm_events.feed.kafka import FeedUnavailable
from crm_events.feed.port import LogReplaced
from crm_events.store.port import StoreUnavailable

from crm_projections.engine.applying import TRANSIENT
from crm_projections.engine.elsewhere import NotLetIn
from crm_projections.engine.feeds import NotReadHere
from crm_projections.engine.filling import Filled, RebuildFailed
from crm_projections.engine.generation import NothingLive, OutdatedView
from crm_projections.engine.host import ViewHost
from crm_projections.engine.leftovers import drop_unfinished
from crm_projections.engine.replaying import PastTheEnd
from crm_projections.engine.verifying import NeverEqual
from crm_projections.jobs.job import Job
from crm_projections.jobs.planning import events_of
from crm_projections.jobs.queue import Queue
from crm_projections.jobs.results import of_replay, of_verify

_LOOK_SECONDS: Final = 0.2
_BEAT_SECONDS: Final = 0.3
_SAID: Final = (
    RebuildFailed, NeverEqual, NothingLive, OutdatedView, PastTheEnd, NotReadHere, NotLetIn,
    LogReplaced,
)  # fmt: skip
_AWAY: Final = (FeedUnavailable, StoreUnavailable, *TRANSIENT)
_LEFT: Final = "The process that did it ended; what it had begun is dropped. Ask again."
_log = structlog.get_logger("crm.views.jobs")


class JobWorker:
    """Takes the jobs of the views that its host follows. For the host's loop."""

    def __init__(self, host: ViewHost, queue: Queue) -> None:
        self._host = host
        self._queue = queue
        self._views = [view.definition.id for view in host.views]

    async def run(self) -> None:
        """Until cancelled; a job at work then fails, and leaves nothing behind."""
        while True:
            try:
                job = await self._taken()
            except _AWAY as error:
                _log.warning("jobs_unreachable", reason=type(error).__name__)
                job = None
            if job is None:
                await asyncio.sleep(_LOOK_SECONDS)
            else:
                await self._do(job)

    async def _taken(self) -> Job | None:
        """Who is cancelled while one is taken gives it back as failed."""
        taking = asyncio.ensure_future(asyncio.to_thread(self._next))
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            await asyncio.wait({taking})
            if taking.exception() is None and (job := taking.result()) is not None:
                await asyncio.to_thread(self._end, job, "failed", None, _LEFT)
            raise

    def _next(self) -> Job | None:
        for lost in self._queue.lost(self._views):
            self._clear(lost)
        return self._queue.take(self._views)

    def _clear(self, lost: Job) -> None:
        view = next(v for v in self._host.views if v.definition.id == lost.asked.view)
        if lost.generation is not None:
            drop_unfinished(self._host.database, view, lost.generation)
        self._queue.end(lost.id, "failed", reason=_LEFT)
        _log.warning("job_lost", id=str(lost.id), view=lost.asked.view)

    async def _do(self, job: Job) -> None:
        """Raises nothing but CancelledError: what goes wrong is told as what came of the job."""
        _log.info("job_begins", id=str(job.id), kind=job.asked.kind, view=job.asked.view)
        progress = _Progress()
        work = asyncio.create_task(self._work(job, progress))
        try:
            if not await self._watched(job, work, progress):
                await _ended(work)
        except asyncio.CancelledError:
            await _ended(work)
            await asyncio.to_thread(self._end, job, "failed", None, _LEFT)
            raise
        await asyncio.to_thread(self._close, job, work)

    async def _watched(self, job: Job, work: asyncio.Task[Any], progress: _Progress) -> bool:
        """False when it is to end before its time."""
        total = await asyncio.to_thread(self._total, job)
        while True:
            await asyncio.wait({work}, timeout=_BEAT_SECONDS)
            ended = work.done()  # looked at before the last beat, which then tells of all of it
            try:
                told = (progress.generation, progress.events, total)
                going = await asyncio.to_thread(self._queue.beat, job.id, *told)
            except TRANSIENT:
                going = True
            if ended:
                return True
            if not going:
                return False

    def _total(self, job: Job) -> int | None:
        try:
            to = job.asked.options.get("to")
            return (
                events_of(self._host.database, job.asked.view) if to is None else sum(to.values())
            )
        except TRANSIENT:
            return None

    def _work(self, job: Job, progress: _Progress) -> Coroutine[Any, Any, Any]:
        kinds = {"rebuild": self._rebuild, "verify": self._verify, "replay": self._replay}
        return kinds[job.asked.kind](job, progress)

    async def _rebuild(self, job: Job, progress: _Progress) -> Any:
        generation = await self._host.rebuild(job.asked.view, progress.told)
        return {"generation": generation.number}

    async def _verify(self, job: Job, progress: _Progress) -> Any:
        return of_verify(await self._host.verify(job.asked.view, told=progress.told))

    async def _replay(self, job: Job, progress: _Progress) -> Any:
        to, origin = job.asked.options["to"], job.asked.options["origin"]
        return of_replay(await self._host.replay(job.asked.view, to, progress.told, origin))

    def _close(self, job: Job, work: asyncio.Task[Any]) -> None:
        if work.cancelled():
            self._end(job, "cancelled", None, None)
        elif (error := work.exception()) is None:
            self._end(job, "done", work.result(), None)
        else:
            self._end(job, "failed", None, _reason(error))

    def _end(self, job: Job, status: Any, result: Any, reason: str | None) -> None:
        with suppress(*TRANSIENT):  # then it is found as lost
            self._queue.end(job.id, status, result, reason)
        _log.info("job_ended", id=str(job.id), status=status, reason=reason)


class _Progress:
    """What the work last said of itself."""

    def __init__(self) -> None:
        self.generation: int | None = None
        self.events = 0

    def told(self, filled: Filled) -> None:
        self.generation, self.events = filled.generation.number, filled.events


async def _ended(work: asyncio.Task[Any]) -> None:
    work.cancel()
    await asyncio.wait({work})


def _reason(error: BaseException) -> str:
    if isinstance(error, _SAID):
        return str(error)
    if isinstance(error, _AWAY):
        return f"The log or the database went away ({type(error).__name__}); ask again."
    _log.error("job_failed", exc_info=error)
    return f"It failed with {type(error).__name__}; the log of the projection says where."
