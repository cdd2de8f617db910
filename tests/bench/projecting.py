"""R3: views kept up to date by the engine, beside the raw upsert of as many rows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from crm_events.clock import utc_now
from crm_events.codec import Codec
from crm_events.sql.names import schema_name
from crm_projections.engine.database import Database, postgres_database
from crm_projections.engine.feeds import store_feeds
from crm_projections.engine.host import ViewHost
from crm_projections.engine.view import Projector
from crm_projections.facts.instants import Reporting
from crm_projections.views.funnel.projector import FunnelView
from crm_projections.views.retention.projector import RetentionView
from prometheus_client import CollectorRegistry

from tests.bench.deals import fill_with_deals
from tests.bench.ground import Ground, fresh_namespace
from tests.bench.measuring import Bars, Bench, NotDone, Sides
from tests.bench.stores import Store, fill, sqlite_store
from tests.bench.upserts import LastEventView, row_of, upserted

_EVENTS, _QUICK_EVENTS = 20_000, 1_000
_SECONDS = 120.0
_REPORTING = Reporting(ZoneInfo("UTC"), "EUR")


class Projecting:
    """The same log every round, into tables made anew. The log lies in SQLite files, so that
    PostgreSQL has the same to do on both sides."""

    def __init__(
        self, logs: Mapping[str, Store], dsn: str, view: Projector[Any], head: int
    ) -> None:
        self._logs = logs
        self._dsn = dsn
        self._view = view
        self._head = head
        page = logs["pipeline"].recorder.read_log(0, head)
        self._rows = [row_of(envelope) for envelope in page.envelopes]

    def baseline(self) -> float:
        return len(self._rows) / upserted(self._dsn, self._rows)

    def ours(self) -> float:
        return len(self._rows) / asyncio.run(self._applied())

    async def _applied(self) -> float:
        """Seconds from the start of the loop to the commit of the last event."""
        namespace = fresh_namespace()
        with closing(postgres_database(self._dsn, namespace)) as database:
            host = self._host(database)
            await host.prepare()
            started = time.perf_counter()
            try:
                await host.start()
                if not await host.wait_caught_up({"pipeline": self._head}, _SECONDS):
                    raise NotDone(f"{self._view.definition.id}: {host.failed() or 'stuck'}")
                seconds = time.perf_counter() - started
                self._check(host)
                return seconds
            finally:
                await host.stop()
                self._drop(schema_name(namespace, "projections"))

    def _check(self, host: ViewHost) -> None:
        states = host.projections[0].known().values()
        seen, parked = sum(s.seen for s in states), sum(s.parked for s in states)
        if seen != len(self._rows) or parked:
            raise NotDone(f"{seen} of {len(self._rows)} events were taken, {parked} were parked")

    def _host(self, database: Database) -> ViewHost:
        recorders = {context: self._logs[context].recorder for context in self._view.contexts}
        codec = Codec(self._logs["pipeline"].keys)
        feeds, registry = store_feeds(recorders), CollectorRegistry()
        return ViewHost(database, codec, [self._view], feeds, utc_now, registry)

    def _drop(self, schema: str) -> None:
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            connection.execute(f'DROP SCHEMA "{schema}" CASCADE')


def _orders(store: Store, events: int) -> int:
    return fill(store, events)


def _deals(store: Store, events: int) -> int:
    return fill_with_deals(store, events // 4)


def _bench(
    id: str,
    name: str,
    view: Projector[Any],
    filling: Callable[[Store, int], int],
    bars: Bars | None = None,
) -> Bench:
    @contextmanager
    def opened(place: Ground) -> Iterator[Sides]:
        with (
            place.database() as dsn,
            sqlite_store(place, "contacts") as contacts,
            sqlite_store(place, "pipeline") as pipeline,
        ):
            head = filling(pipeline, place.size(_EVENTS, _QUICK_EVENTS))
            logs = {"contacts": contacts, "pipeline": pipeline}
            projecting = Projecting(logs, dsn, view, head)
            yield Sides(projecting.ours, projecting.baseline)

    return Bench(id, name, "events/s", opened, bars)


_BARS = Bars(0.3, 0.6)
PROJECTING = (
    _bench("R3-engine", "engine with a bare view / raw upsert", LastEventView(), _orders, _BARS),
    _bench("R3-retention", "retention / raw upsert", RetentionView(_REPORTING), _orders, _BARS),
    _bench("R3-funnel", "funnel / raw upsert", FunnelView(_REPORTING), _deals, _BARS),
)
