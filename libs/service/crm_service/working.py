"""Runs what follows a log (relay, reactions, projections) with a small door for probes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from crm_service.health import Check, Readiness, probe_routes
from crm_service.metrics import new_registry
from crm_service.process import FAILED, GRACE_SECONDS, OK, run
from crm_service.serving import listen, served

Work = Callable[[asyncio.Event], Awaitable[None]]
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Probes:
    """Where a worker answers `/livez`, `/readyz` and `/metrics`; nowhere without a port."""

    host: str = "127.0.0.1"
    port: int | None = None
    readiness: Mapping[str, Check] = field(default_factory=dict)
    metrics: CollectorRegistry = field(default_factory=new_registry)


def run_worker(work: Work, probes: Probes) -> int:
    """Run until the work ends or a signal sets its event; answers the exit code.

    The work has GRACE_SECONDS to end after the event. Raises AddressTaken.
    """

    async def main(stop: asyncio.Event) -> int:
        async with _probed(probes):
            return await _supervised(work, stop)

    return run(main)


async def _supervised(work: Work, stop: asyncio.Event) -> int:
    working = asyncio.ensure_future(work(stop))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    done, _ = await asyncio.wait({working}, timeout=GRACE_SECONDS)
    if not done:
        working.cancel()
        log.error("worker_did_not_stop", seconds=GRACE_SECONDS)
        return FAILED
    error = working.exception()
    if error is not None:
        log.error("worker_failed", exc_info=error)
        return FAILED
    return OK


@asynccontextmanager
async def _probed(probes: Probes) -> AsyncIterator[None]:
    if probes.port is None:
        yield
        return
    routes = probe_routes(Readiness(probes.readiness), probes.metrics)
    async with served(Starlette(routes=routes), listen(probes.host, probes.port)):
        yield
