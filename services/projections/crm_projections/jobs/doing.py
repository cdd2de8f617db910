"""What each kind of job does, and how what goes wrong with it is told."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Final

import structlog
from crm_events.feed.port import LogReplaced

from crm_projections.engine.elsewhere import NotLetIn
from crm_projections.engine.feeds import NotReadHere
from crm_projections.engine.filling import AWAY, Filled, RebuildFailed, Told
from crm_projections.engine.generation import NothingLive, OutdatedView
from crm_projections.engine.host import ViewHost
from crm_projections.engine.replaying import PastTheEnd
from crm_projections.engine.verifying import NeverEqual
from crm_projections.jobs.job import Job, Progress
from crm_projections.jobs.results import of_replay, of_verify

_SAID: Final = (
    RebuildFailed, NeverEqual, NothingLive, OutdatedView, PastTheEnd, NotReadHere, NotLetIn,
    LogReplaced,
)  # fmt: skip
_log = structlog.get_logger("crm.views.jobs")


def work_of(host: ViewHost, job: Job, progress: Progress) -> Coroutine[Any, Any, Any]:
    """The work itself; answers what came of it, as JSON, and says in `progress` how far it is."""
    kinds = {"rebuild": _rebuild, "verify": _verify, "replay": _replay}
    return kinds[job.asked.kind](host, job, _telling(progress))


async def _rebuild(host: ViewHost, job: Job, told: Told) -> Any:
    generation = await host.rebuild(job.asked.view, told, anew=job.asked.anew)
    return {"generation": generation.number}


async def _verify(host: ViewHost, job: Job, told: Told) -> Any:
    return of_verify(await host.verify(job.asked.view, told=told, anew=job.asked.anew))


async def _replay(host: ViewHost, job: Job, told: Told) -> Any:
    to, origin = job.asked.options["to"], job.asked.options["origin"]
    anew = job.asked.anew
    return of_replay(await host.replay(job.asked.view, to, told, origin, anew=anew))


def _telling(progress: Progress) -> Told:
    def told(filled: Filled) -> None:
        progress.events, progress.continued = filled.events, filled.continued
        progress.note = filled.note

    return told


def reason_of(error: BaseException) -> str:
    """One sentence for whoever asked."""
    if isinstance(error, _SAID):
        return str(error)
    if isinstance(error, AWAY):
        return f"The log or the database went away ({type(error).__name__}); ask again."
    _log.error("job_failed", exc_info=error)
    return f"It failed with {type(error).__name__}; the log of the projection says where."
