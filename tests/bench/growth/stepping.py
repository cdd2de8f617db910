"""One size: the history is grown to it, projected, and asked."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

import psycopg
from crm_events.clock import utc_now
from crm_events.codec import Codec
from crm_projections.api.answering import Answering
from crm_projections.api.asking import Question
from crm_projections.engine.database import Database, postgres_database
from crm_projections.engine.feeds import store_feeds
from crm_projections.engine.host import ViewHost
from crm_projections.engine.instants import micros
from crm_projections.engine.view import View
from crm_projections.facts.instants import Reporting
from crm_projections.views.funnel.projector import FunnelView
from crm_projections.views.names.projector import NamesView
from crm_projections.views.retention.projector import RetentionView
from crm_service.collector import spare_the_collector
from prometheus_client import CollectorRegistry
from sqlalchemy.exc import OperationalError

from tests.bench.ground import Ground, fresh_namespace
from tests.bench.growth.history import MIDDLE, History
from tests.bench.measuring import NotDone, cores
from tests.bench.memory import peak, resident
from tests.bench.stores import Store, postgres_store, sqlite_store

_MIB: Final = 1024 * 1024
_LOOK: Final = 30.0
_TIMES: Final = 5
_SECONDS: Final = 7_200.0
_REPORTING: Final = Reporting(ZoneInfo("UTC"), "EUR")


@dataclass(frozen=True, slots=True)
class Size:
    """What one size came to. Rates are those of the events since the size before, a second; the
    first answer is that of a process that has kept nothing yet, of the others each is the median; a
    question that took longer than a view is given is None; store and memory are in MiB."""

    events: int
    append_rate: float
    project_rate: float
    funnel_first_ms: float | None
    funnel_ms: float | None
    funnel_as_of_ms: float | None
    retention_first_ms: float | None
    retention_ms: float | None
    retention_as_of_ms: float | None
    log_mib: float
    views_mib: float
    resident_mib: float
    peak_mib: float
    cores: int


class Growing:
    """One history in PostgreSQL, the funnel and retention over it in another database of it, all in
    this process."""

    def __init__(
        self, logs: Mapping[str, Store], database: Database, dsns: Mapping[str, str]
    ) -> None:
        self._logs = logs
        self._database = database
        self._dsns = dsns
        self._history = History(logs["pipeline"])
        self._views: tuple[View[Any], ...] = (FunnelView(_REPORTING), RetentionView(_REPORTING))

    def measured(self, events: int) -> Size:
        """Raises NotDone where an event was not taken."""
        before = self._history.events
        appending = _timed(lambda: self._history.grow_to(events))
        projecting = asyncio.run(self._projected())
        added = self._history.events - before
        funnel, retention = (self._answers(view) for view in self._views)
        return Size(
            events=self._history.events,
            append_rate=round(added / appending, 1),
            project_rate=round(added / projecting, 1),
            funnel_first_ms=funnel[0],
            funnel_ms=funnel[1],
            funnel_as_of_ms=funnel[2],
            retention_first_ms=retention[0],
            retention_ms=retention[1],
            retention_as_of_ms=retention[2],
            log_mib=_size(self._dsns["log"]),
            views_mib=_size(self._dsns["views"]),
            resident_mib=round(resident(), 1),
            peak_mib=round(peak(), 1),
            cores=cores(),
        )

    async def _projected(self) -> float:
        """Seconds until both views have committed the last event."""
        recorders = {context: log.recorder for context, log in self._logs.items()}
        codec, registry = Codec(self._logs["pipeline"].keys), CollectorRegistry()
        feeds = store_feeds(recorders)
        host = ViewHost(self._database, codec, self._views, feeds, utc_now, registry)
        started = time.perf_counter()
        await host.start()
        try:
            while not await host.wait_caught_up({"pipeline": self._history.head}, _LOOK):
                if why := host.failed():
                    raise NotDone(why)
                if time.perf_counter() - started > _SECONDS:
                    raise NotDone(f"the views took more than {_SECONDS:.0f} s")
            seconds = time.perf_counter() - started
            self._check(host)
            return seconds
        finally:
            await host.stop()

    def _check(self, host: ViewHost) -> None:
        for projection in host.projections:
            states = projection.known().values()
            seen, parked = sum(s.seen for s in states), sum(s.parked for s in states)
            if seen != self._history.events or parked:
                raise NotDone(
                    f"{projection.name}: {seen} of {self._history.events} events, {parked} parked"
                )

    def _answers(self, view: View[Any]) -> tuple[float | None, float | None, float | None]:
        """Of a process that has kept nothing, as it is now; then of one that has, as it is now and
        as it was in the middle."""
        answering = Answering(self._database, NamesView(), utc_now)
        middle = view.parameters(as_of=micros(MIDDLE))
        return (
            _asked(answering, view, view.parameters(), 1),
            _asked(answering, view, view.parameters(), _TIMES),
            _asked(answering, view, middle, _TIMES),
        )


def _asked(answering: Answering, view: View[Any], parameters: Any, times: int) -> float | None:
    """Milliseconds, the median of so many answers."""
    question = Question(parameters, None, (), 0.0)
    found: list[float] = []
    try:
        for _ in range(times):
            started = time.perf_counter()
            answer = answering.answer(view, question)
            found.append(time.perf_counter() - started)
            if not answer["rows"]:
                raise NotDone(f"{view.definition.id} answered nothing")
    except OperationalError:
        return None
    return round(1_000 * statistics.median(found), 2)


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _size(dsn: str) -> float:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    return round((row[0] if row else 0) / _MIB, 1)


@contextmanager
def growing(place: Ground) -> Iterator[Growing]:
    """Everything empty and ready."""
    spare_the_collector()
    with (
        postgres_store(place) as pipeline,
        sqlite_store(place, "contacts") as contacts,
        place.database() as dsn,
        closing(postgres_database(dsn, fresh_namespace())) as database,
    ):
        logs = {"pipeline": pipeline, "contacts": contacts}
        yield Growing(logs, database, {"log": pipeline.dsn, "views": dsn})
