"""The notes as a process of their own, for the tests: `python -m tests.service.notes_process`."""

from __future__ import annotations

import asyncio
import signal
import sys

import structlog
from crm_events.store.port import StoreUnavailable
from crm_service.app import Edge, create_app
from crm_service.logging import configure
from crm_service.roles import Role, main
from crm_service.serving import serve
from crm_service.settings import ProcessSettings, ServiceSettings, read_settings
from crm_service.working import Probes, run_worker

from tests.service.notes import ERRORS, SECRET, Notes, failing_router, notes_router


def serve_notes() -> int:
    """SIGUSR1 lets requests for the slow route end."""
    settings, notes = read_settings(ServiceSettings), Notes()
    configure(settings.log_level)
    signal.signal(signal.SIGUSR1, lambda *_: notes.release.set())
    app = create_app(
        "Notes",
        "notes",
        [notes_router(notes), failing_router(notes)],
        principals=settings.principals(),
        readiness={},
        errors=ERRORS,
        edge=Edge(threads=settings.pool, allowed_hosts=settings.allowed_hosts),
    )
    return serve(app, settings.host, settings.port)


async def follow(stop: asyncio.Event) -> None:
    log = structlog.get_logger("follow")
    log.info("following")
    await stop.wait()
    log.info("flushed")


async def fail(_: asyncio.Event) -> None:
    raise RuntimeError(SECRET)


def work(step: object) -> int:
    settings = read_settings(ProcessSettings)
    configure(settings.log_level)
    return run_worker(step, Probes(settings.host, settings.health_port))  # type: ignore[arg-type]


def miss_database() -> int:
    raise StoreUnavailable(f"password={SECRET}")


def break_down() -> int:
    raise KeyError(SECRET)


ROLES = {
    "serve": Role("answer requests about notes", serve_notes),
    "follow": Role("follow until told to stop", lambda: work(follow)),
    "break": Role("break down", break_down),
    "miss": Role("miss the database", miss_database),
    "fail": Role("fail at once", lambda: work(fail)),
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], ROLES, program="notes", about="Notes, and what follows them."))
