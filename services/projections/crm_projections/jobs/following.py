"""What a process does that keeps views up to date, and when it is ready."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial

from crm_service.following import together, watch
from crm_service.health import Check, NotReady

from crm_projections.engine.host import ViewHost
from crm_projections.jobs.worker import JobWorker


async def follow(host: ViewHost, worker: JobWorker, stop: asyncio.Event) -> None:
    """Raises StandsStill when a view that has something to take does not move for too long."""
    await host.prepare()
    loops = host.work()
    watching = [watch(partial(host.due, p), partial(getattr, p, "moves")) for p in host.projections]
    await together(stop, [*loops, *watching, worker.run()])


def readiness(host: ViewHost, most: int) -> Mapping[str, Check]:
    def following() -> None:
        reason = host.failed()
        if reason is not None:
            raise NotReady(reason)

    def near() -> None:
        far = {p.name: host.lag(p.name) for p in host.projections if host.lag(p.name) > most}
        if far:
            raise NotReady(f"too far behind: {far}")

    return {"database": host.database.ping, "following": following, "lag": near}
