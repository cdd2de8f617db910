"""Seals what the log has gained, every few seconds and when asked, and brings checkpoints out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import structlog
from crm_events.audit.keyfile import KeyFileRefused
from crm_events.audit.notary import TreeBroken
from crm_events.audit.note import BrokenNote
from crm_events.store.port import StoreUnavailable
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from crm_service.auditing.desk import AuditDesk
from crm_service.auditing.outside import Forked, OutsideUnreachable
from crm_service.health import NotReady

_LOOK_SECONDS: Final = 0.5
_log = structlog.get_logger("crm.audit")
_TOLD: Final = (KeyFileRefused, TreeBroken, Forked, OutsideUnreachable, BrokenNote)


class AuditKeeper:
    """Runs until cancelled. `failing` says why nothing is sealed or nothing leaves."""

    def __init__(self, desk: AuditDesk, clock: Callable[[], float] = time.monotonic) -> None:
        self._desk = desk
        self._clock = clock
        self._due = {"sealing": clock() + desk.place.seconds, "leaving": 0.0}
        self._reasons: dict[str, str] = {}
        self._stopping = False
        self.sealed = 0
        self.left = 0
        self.failures = 0

    @property
    def failing(self) -> str | None:
        return next(iter(self._reasons.values()), None)

    async def run(self) -> None:
        threads = ThreadPoolExecutor(1, thread_name_prefix=f"audit-{self._desk.context}")
        loop = asyncio.get_running_loop()
        try:
            while True:
                await asyncio.shield(loop.run_in_executor(threads, self.turn))
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            self._stopping = True
            await asyncio.shield(loop.run_in_executor(threads, lambda: None))
            threads.shutdown(wait=False)

    def turn(self) -> None:
        """Seal where it is time to, and bring out what stays; a failure is told and tried again."""
        try:
            if self._is_due("sealing") or self._is_asked():
                self._try("sealing", self._take_in)
            if self._is_due("leaving"):
                self._try("leaving", self._bring_out)
        except StoreUnavailable as error:
            _log.warning("audit_waits", context=self._desk.context, reason=str(error))

    def _is_due(self, step: str) -> bool:
        return self._clock() >= self._due[step]

    def _is_asked(self) -> bool:
        return self._desk.log.asked() > self._desk.log.head().position

    def _try(self, step: str, work: Callable[[], None]) -> None:
        """Leaving is tried at every turn while it works, sealing every so many seconds."""
        try:
            work()
        except _TOLD as error:
            self.failures += 1
            if self._reasons.get(step) != str(error):
                _log.warning("audit_fails", context=self._desk.context, reason=str(error))
            self._reasons[step] = str(error)
        else:
            self._reasons.pop(step, None)
        if step == "sealing" or step in self._reasons:
            self._due[step] = self._clock() + self._desk.place.seconds

    def _take_in(self) -> None:
        for events in self._desk.notary().batches():
            self.sealed += events
            if self._stopping:
                return

    def _bring_out(self) -> None:
        for _ in self._desk.bring_out():
            self.left += 1
            if self._stopping:
                return

    def ready(self) -> None:
        """Raises NotReady while nothing is sealed, or nothing leaves."""
        if (reason := self.failing) is not None:
            raise NotReady(reason)


class AuditSeries(Collector):
    """How far the sealing is, and whether it fails; read when asked for."""

    def __init__(self, context: str, keeper: AuditKeeper) -> None:
        self._context = context
        self._keeper = keeper

    def collect(self) -> Iterator[Metric]:
        keeper = self._keeper
        failing = GaugeMetricFamily(
            "crm_audit_failing", "1 while nothing is sealed or leaves.", labels=["context"]
        )
        failing.add_metric([self._context], keeper.failing is not None)
        yield failing
        yield self._counter("sealed_events", "Events sealed by this process.", keeper.sealed)
        yield self._counter("left", "Checkpoints brought outside.", keeper.left)
        yield self._counter("failures", "Times that sealing or leaving failed.", keeper.failures)

    def _counter(self, name: str, text: str, value: int) -> Metric:
        family = CounterMetricFamily(f"crm_audit_{name}", text, labels=["context"])
        family.add_metric([self._context], value)
        return family
