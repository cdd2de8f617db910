"""Long work that the views' service does: asked for, watched, and cancelled by Ctrl-C."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from rich.progress import Progress

from crm_console.cli.output import progress, say
from crm_console.interruption import Interrupted
from crm_console.transport import ServerSaid, ServerUnreachable, Transport

Job = Mapping[str, Any]
_UNTAKEN_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.2
_ENDING_SECONDS: Final = 15.0
UNTOUCHED: Final = "the live view is as it was; the same command begins what it was to do."
"""Of Ctrl-C before there is a job."""
_GOING: Final = ("waiting", "running")
_pause: Final = threading.Event()


class JobFailed(Exception):
    """The work was begun, or never taken, and came to nothing; says why."""


def worked(transport: Transport, again: str, **asked: Any) -> Job:
    """Ask for long work and wait for what comes of it, with progress on standard error.

    Ctrl-C has it cancelled: nothing half done stays, but what the command that is told as `again`
    goes on with. Raises JobFailed.
    """
    job: Job = transport.send("POST", "/v1/views/jobs", body=asked)
    if job["joined"]:
        say(f"{_named(job)} is under way, asked for by {job['asked_by']} at {job['asked_at']}.")
    try:
        job = _watched(transport, job)
    except KeyboardInterrupt:
        _cancel(transport, job)
        raise Interrupted(_how_to_go_on(job, again)) from None
    if job["status"] == "done":
        return job
    raise JobFailed(
        f"{_named(job)} was {job['status']}: {job['reason'] or 'somebody cancelled it.'}"
    )


def seconds_of(job: Job) -> float:
    """How long it was worked on."""
    begun, ended = (datetime.fromisoformat(job[name]) for name in ("begun_at", "ended_at"))
    return (ended - begun).total_seconds()


def _named(job: Job) -> str:
    return f"The {job['kind']} of {job['view']}"


def _watched(transport: Transport, job: Job) -> Job:
    since, told = time.monotonic(), False
    with progress(f"{job['kind']} {job['view']}", 0) as bar:
        while job["status"] in _GOING:
            if job["status"] != "waiting" or job["ahead"]:
                since = time.monotonic()
            _give_up_waiting(transport, job, since)
            _show(bar, job)
            _pause.wait(_LOOK_SECONDS)
            job = transport.send("GET", f"/v1/views/jobs/{job['id']}")
            told = told or _say_begun(job)
        _show(bar, job)
    return job


def _say_begun(job: Job) -> bool:
    """From where it goes on, or why it does not; answers whether there was anything to say."""
    if job["status"] == "waiting" or not (job["continued"] or job["note"]):
        return False
    of = "" if job["total"] is None else f" of about {job['total']:,}"
    say(
        job["note"]
        or f"{_named(job)} goes on where it was interrupted: {job['continued']:,}{of} events "
        "had been taken."
    )
    return True


def _how_to_go_on(job: Job, again: str) -> str:
    goes_on = "goes on where this was" if job["kept"] else "begins anew"
    return f"the live view is as it was; {again} {goes_on}."


def _show(bar: Progress, job: Job) -> None:
    if job["ahead"]:
        bar.update(bar.task_ids[0], description=f"{job['kind']} waits for {job['ahead']} before it")
        return
    what = f"{job['kind']} {job['view']}"
    bar.update(bar.task_ids[0], description=what, total=job["total"], completed=job["events"])


def _give_up_waiting(transport: Transport, job: Job, since: float) -> None:
    if time.monotonic() - since < _UNTAKEN_SECONDS:
        return
    _cancel(transport, job)
    raise JobFailed(
        f"{_named(job)} was not begun within {_UNTAKEN_SECONDS:g} s: no projection of "
        f"{job['view']} runs. Start it, and ask again."
    )


def _cancel(transport: Transport, job: Job) -> None:
    """Have it end, and wait until it has: what it had begun is dropped by then."""
    deadline = time.monotonic() + _ENDING_SECONDS
    with suppress(ServerSaid, ServerUnreachable):
        job = transport.send("POST", f"/v1/views/jobs/{job['id']}:cancel")
        while job["status"] in _GOING and time.monotonic() < deadline:
            _pause.wait(_LOOK_SECONDS)
            job = transport.send("GET", f"/v1/views/jobs/{job['id']}")
