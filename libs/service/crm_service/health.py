"""Whether the process lives, and whether it can do its work: two questions, never mixed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from threading import Thread
from typing import Any, Final

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

Check = Callable[[], None]
"""Raises when the part it looks at cannot work: NotReady with a reason fit for strangers, or any
other error, of which only the class is shown. Runs in a thread of its own."""
DEADLINE_SECONDS: Final = 2.0
log = structlog.get_logger(__name__)


class NotReady(Exception):
    """A part is not ready; the message is shown to whoever asks."""


class Probe:
    """One named check. Those who ask while it runs share its answer, so that a database that hangs
    costs one thread, however often it is asked for."""

    def __init__(self, name: str, check: Check) -> None:
        self.name = name
        self._check = check
        self._running: asyncio.Future[str | None] | None = None

    async def reason(self, deadline: float) -> str | None:
        """Why the part is not ready; None when it is."""
        if self._running is None or self._running.done():
            self._running = self._start()
        done, _ = await asyncio.wait({self._running}, timeout=deadline)
        if done:
            return self._running.result()
        log.warning("check_late", check=self.name, seconds=deadline)
        return f"no answer within {deadline:g} s"

    def _start(self) -> asyncio.Future[str | None]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str | None] = loop.create_future()

        def deliver(reason: str | None) -> None:
            if not answer.done():
                answer.set_result(reason)

        def run() -> None:
            reason = self._run()
            if not loop.is_closed():
                loop.call_soon_threadsafe(deliver, reason)

        Thread(target=run, name=f"check-{self.name}", daemon=True).start()
        return answer

    def _run(self) -> str | None:
        try:
            self._check()
        except NotReady as error:
            return str(error)
        except Exception as error:
            log.warning("check_failed", check=self.name, exc_info=error)
            return type(error).__name__
        return None


class Readiness:
    """All checks of a process, asked side by side."""

    def __init__(self, checks: Mapping[str, Check], deadline: float = DEADLINE_SECONDS) -> None:
        self._probes = [Probe(name, check) for name, check in checks.items()]
        self._deadline = deadline

    async def report(self) -> dict[str, str | None]:
        """The reason of each check that is not ready; None for those that are."""
        reasons = await asyncio.gather(*(p.reason(self._deadline) for p in self._probes))
        return {probe.name: reason for probe, reason in zip(self._probes, reasons, strict=True)}


def probe_routes(readiness: Readiness, registry: CollectorRegistry) -> list[BaseRoute]:
    """`/livez` answers from the loop alone; `/readyz` is 503 while any check fails; `/metrics`."""

    async def livez(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        report = await readiness.report()
        ready = all(reason is None for reason in report.values())
        body: dict[str, Any] = {"status": "ok" if ready else "failing", "checks": {}}
        for name, reason in report.items():
            body["checks"][name] = {"ok": True} if reason is None else _failing(reason)
        return JSONResponse(body, 200 if ready else 503)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    endpoints = {"/livez": livez, "/readyz": readyz, "/metrics": metrics}
    return [Route(path, endpoint, methods=["GET"]) for path, endpoint in endpoints.items()]


def _failing(reason: str) -> dict[str, Any]:
    return {"ok": False, "reason": reason}
