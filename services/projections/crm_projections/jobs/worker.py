"""Does jobs one after the other inside a process that follows views."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final

import structlog

from crm_projections.engine.applying import TRANSIENT
from crm_projections.engine.filling import AWAY
from crm_projections.engine.host import ViewHost
from crm_projections.jobs.doing import reason_of, work_of
from crm_projections.jobs.job import Job, Progress
from crm_projections.jobs.planning import events_of
from crm_projections.jobs.queue import LOST_AFTER, Queue

_LOOK_SECONDS: Final = 0.2
_BEAT_SECONDS: Final = 0.3
_LEFT: Final = (
    "The process that did it ended. Ask again: it goes on where it was, where that could be kept."
)
_STUCK: Final = (
    "It was interrupted again without having got any further; the log of the projection says why. "
    "Ask again: it goes on where it was."
)
_log = structlog.get_logger("crm.views.jobs")


class JobWorker:
    """Takes the jobs of the views that its host follows. For the host's loop."""

    def __init__(self, host: ViewHost, queue: Queue) -> None:
        self._host = host
        self._queue = queue
        self._views = [view.definition.id for view in host.views]
        # Where nobody else can be at work, what runs has lost its process.
        self._lost_after = 0 if host.feeds.shared else LOST_AFTER

    async def run(self) -> None:
        """Until cancelled; a rebuild at work is then put back for the next to go on with, any other
        job fails, for whoever asked has to ask again for what it was to tell."""
        while True:
            try:
                job = await self._taken()
            except AWAY as error:
                _log.warning("jobs_unreachable", reason=type(error).__name__)
                job = None
            if job is None:
                await asyncio.sleep(_LOOK_SECONDS)
            else:
                await self._do(job)

    async def _taken(self) -> Job | None:
        """Who is cancelled while one is taken gives it back."""
        taking = asyncio.ensure_future(asyncio.to_thread(self._next))
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            await asyncio.wait({taking})
            if taking.exception() is None and (job := taking.result()) is not None:
                await asyncio.to_thread(self._leave, job)
            raise

    def _next(self) -> Job | None:
        for lost in self._queue.lost(self._views, self._lost_after):
            self._clear(lost)
        return self._queue.take(self._views)

    def _clear(self, lost: Job) -> None:
        _log.warning("job_lost", id=str(lost.id), view=lost.asked.view, events=lost.events)
        if lost.asked.kind == "rebuild":
            self._go_on(lost)
            return
        view = next(v for v in self._host.views if v.definition.id == lost.asked.view)
        self._host.drop_unfinished(view)
        self._queue.end(lost.id, "failed", reason=_LEFT)

    def _go_on(self, job: Job) -> None:
        """It waits to be gone on with, unless it does not get any further."""
        if job.continued is not None and job.events <= job.continued:
            self._queue.end(job.id, "failed", reason=_STUCK)
        else:
            self._queue.put_back(job.id)

    async def _do(self, job: Job) -> None:
        """Raises nothing but CancelledError: what goes wrong is told as what came of the job."""
        _log.info("job_begins", id=str(job.id), kind=job.asked.kind, view=job.asked.view)
        progress = Progress()
        work = asyncio.create_task(work_of(self._host, job, progress))
        try:
            if not await self._watched(job, work, progress):
                await _ended(work)
        except asyncio.CancelledError:
            await _ended(work)
            await asyncio.to_thread(self._leave, job)
            raise
        await asyncio.to_thread(self._close, job, work)

    async def _watched(self, job: Job, work: asyncio.Task[Any], progress: Progress) -> bool:
        """False when it is to end before its time."""
        total = await asyncio.to_thread(self._total, job)
        while True:
            await asyncio.wait({work}, timeout=_BEAT_SECONDS)
            ended = work.done()  # looked at before the last beat, which then tells of all of it
            try:
                going = await asyncio.to_thread(self._queue.beat, job.id, progress, total)
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

    def _close(self, job: Job, work: asyncio.Task[Any]) -> None:
        if work.cancelled():
            self._end(job, "cancelled", None, None)
        elif (error := work.exception()) is None:
            self._end(job, "done", work.result(), None)
        elif isinstance(error, AWAY) and job.asked.kind == "rebuild":
            with suppress(*TRANSIENT):  # then it is found as lost
                self._go_on(self._queue.find(job.id))
        else:
            self._end(job, "failed", None, reason_of(error))

    def _leave(self, job: Job) -> None:
        """This process ends."""
        if job.asked.kind != "rebuild":
            self._end(job, "failed", None, _LEFT)
            return
        with suppress(*TRANSIENT):  # then it is found as lost
            self._queue.put_back(job.id)
        _log.info("job_put_back", id=str(job.id), view=job.asked.view)

    def _end(self, job: Job, status: Any, result: Any, reason: str | None) -> None:
        with suppress(*TRANSIENT):  # then it is found as lost
            self._queue.end(job.id, status, result, reason)
        _log.info("job_ended", id=str(job.id), status=status, reason=reason)


async def _ended(work: asyncio.Task[Any]) -> None:
    work.cancel()
    await asyncio.wait({work})
