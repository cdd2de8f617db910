"""Our engine beside Quix Streams: the same topic, the same last event of each aggregate kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from crm_events.catalogue import events_topic
from crm_events.clock import utc_now
from crm_events.codec import Codec
from crm_events.keys.port import SubjectKeys
from crm_events.relay.relay import Relay, RelaySettings
from crm_events.sql.names import schema_name
from crm_projections.engine.database import postgres_database
from crm_projections.engine.feeds import kafka_feeds
from crm_projections.engine.host import ViewHost
from prometheus_client import CollectorRegistry
from psycopg.conninfo import conninfo_to_dict

from tests.bench.ground import Ground, fresh_namespace
from tests.bench.measuring import Bench, NotDone, Sides, nothing
from tests.bench.peers.installing import peers_python
from tests.bench.peers.talking import Peer, running
from tests.bench.stores import Store, fill, postgres_store
from tests.bench.upserts import LastEventView

_EVENTS, _QUICK_EVENTS = 50_000, 5_000
_COMMITS: Final = 10
_LOOK: Final = 0.05
_SECONDS: Final = 240.0


@dataclass(frozen=True, slots=True)
class Log:
    """What both sides read, and the database that both write to, each into a table made anew."""

    topics: RelaySettings
    events: int
    dsn: str

    def watched(self, table: str, check: Callable[[], None] = nothing) -> float:
        """Rows a second between the first commit that is seen in a table and the last: told from
        outside, alike for both, and without the time it takes to join a group. Raises NotDone."""
        deadline, first = time.monotonic() + _SECONDS, None
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            while (found := _count(connection, table)) < self.events:
                if found and first is None:
                    first = (time.monotonic(), found)
                check()
                if time.monotonic() > deadline:
                    raise NotDone(f"{found:,} of {self.events:,} came into {table}")
                connection.execute("SELECT pg_sleep(%s)", (_LOOK,))
        if first is None:
            raise NotDone(f"everything came into {table} at once; more events are needed")
        return (found - first[1]) / (time.monotonic() - first[0])

    def run(self, statement: str) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(statement)


def _count(connection: psycopg.Connection[tuple[int]], table: str) -> int:
    rows = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return rows[0] if rows else 0


def projected(log: Log, keys: SubjectKeys) -> float:
    """Our side: the engine, with a view that does nothing else."""
    return asyncio.run(_projected(log, keys))


async def _projected(log: Log, keys: SubjectKeys) -> float:
    schema = schema_name(namespace := fresh_namespace(), "projections")
    with closing(postgres_database(log.dsn, namespace)) as database:
        feeds = kafka_feeds(log.topics.bootstrap, log.topics.namespace)
        codec, registry = Codec(keys), CollectorRegistry()
        host = ViewHost(database, codec, [LastEventView()], feeds, utc_now, registry)
        await host.start()
        try:
            rate = await asyncio.to_thread(log.watched, f'"{schema}".last_event__g1')
        finally:
            await host.stop()
    log.run(f'DROP SCHEMA "{schema}" CASCADE')
    return rate


def folded(log: Log, peer: Peer, folder: Path) -> float:
    """Their side: a dataframe over the topic, and their own sink, which upserts."""
    log.run("DROP TABLE IF EXISTS folded")
    log.run(
        "CREATE TABLE folded (unit uuid PRIMARY KEY, sequence bigint NOT NULL,"
        " type text NOT NULL, effective bigint NOT NULL)"
    )
    peer.tell(**_told(log, folder))
    rate = log.watched("folded", peer.check)
    peer.heard()
    return rate


def _told(log: Log, folder: Path) -> dict[str, object]:
    told = conninfo_to_dict(log.dsn)
    names = ("host", "port", "dbname", "user", "password")
    return {
        "bootstrap": log.topics.bootstrap,
        "topic": events_topic(log.topics.namespace, "pipeline"),
        "group": fresh_namespace(),
        "database": {name: told.get(name) or "" for name in names},
        "table": "folded",
        "events": log.events,
        "commit_every": log.events // _COMMITS,
        "folder": str(folder),
    }


async def _relayed(store: Store, topics: RelaySettings, last: int) -> None:
    """Publish everything that is stored."""
    relay = Relay(store.recorder, topics)
    running_relay = asyncio.create_task(relay.run())
    try:
        async with asyncio.timeout(_SECONDS):
            while relay.position < last:  # noqa: ASYNC110 (nothing rings for it)
                await asyncio.sleep(_LOOK)
    finally:
        running_relay.cancel()
        with suppress(asyncio.CancelledError):
            await running_relay


@contextmanager
def _opened(place: Ground) -> Iterator[Sides]:
    python, folder = peers_python(), place.folder()
    topics = RelaySettings(place.kafka.bootstrap, fresh_namespace(), "pipeline")
    events = place.size(_EVENTS, _QUICK_EVENTS)
    with (
        postgres_store(place) as store,
        place.database() as dsn,
        running(python, "quix_folding", folder) as peer,
    ):
        asyncio.run(_relayed(store, topics, fill(store, events)))
        log = Log(topics, events, dsn)
        yield Sides(lambda: projected(log, store.keys), lambda: folded(log, peer, folder))


FOLDING = Bench("peer-fold", "engine with a bare view / Quix Streams", "events/s", _opened)
