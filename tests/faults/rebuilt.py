"""Every view computed anew, from the stores and from the topics, and summed up table by table."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from hashlib import blake2b
from typing import Any, Final

from crm_events.clock import utc_now
from crm_events.feed.port import Feed, Positions
from crm_projections.engine.decoding import Decoder
from crm_projections.engine.feeds import Feeds, kafka_feeds, store_feeds
from crm_projections.engine.generation import (
    Opened,
    create_beside,
    drop,
    find_live,
    open_generation,
)
from crm_projections.engine.instants import micros
from crm_projections.engine.intake import Workplace
from crm_projections.engine.metrics import ViewMetrics
from crm_projections.engine.position import load_states
from crm_projections.engine.projection import Projection
from crm_projections.engine.runner import LowestPositions, Pace, Runner
from crm_projections.engine.view import Projector
from crm_projections.engine.waiting import Bell
from prometheus_client import CollectorRegistry
from sqlalchemy import Connection, Table, select

from tests.faults.evidence import TableSum
from tests.faults.settling import Beside

_SECONDS: Final = 120.0
_PACE: Final = Pace(batch=5_000, poll=0.1)
_MODULUS: Final = 1 << 128


class NeverEqual(Exception):
    """A view computed anew did not come to where the live one is."""


def table_sums(place: Beside, sources: Sequence[str]) -> list[TableSum]:
    """Of the live tables of every view, and of those computed anew."""
    found: list[TableSum] = []
    for view in place.views.all:
        database = place.views.database
        with database.reading() as connection:
            live = find_live(connection, view)
            if live is None:
                continue
            found += sums_of(connection, open_generation(view, live), "live")
        for source in sources:
            with _anew(place, view, source) as opened, database.reading() as connection:
                found += sums_of(connection, opened, source)
    return found


@contextmanager
def _anew(place: Beside, view: Projector[Any], source: str) -> Iterator[Opened[Any]]:
    database = place.views.database
    opened = create_beside(database, view, "scratch", micros(utc_now()))
    try:
        asyncio.run(_filled(place, view, opened, _feeds(place, source)))
        yield opened
    finally:
        drop(database, opened)


def _feeds(place: Beside, source: str) -> Feeds:
    deployment = place.deployment
    if source == "store":
        return store_feeds(place.recorders)
    return kafka_feeds(deployment.straight_kafka, deployment.namespace)


async def _filled(place: Beside, view: Projector[Any], opened: Opened[Any], feeds: Feeds) -> None:
    """Raises NeverEqual."""
    metrics = ViewMetrics(CollectorRegistry())
    work = Workplace(place.views.database, Decoder(place.views.codec), utc_now, metrics)
    projection = Projection(view, work, lambda: opened)
    make: Any = partial(_opened_feed, feeds, view)
    runner = Runner([projection], work, make, Bell(), _PACE)
    feed = make(LowestPositions([projection]))
    await feed.start()
    try:
        async with asyncio.timeout(_SECONDS):
            while not await asyncio.to_thread(_as_far, place, view, opened):
                await runner.turn(feed)
                if projection.stopped is not None:
                    raise NeverEqual(f"{view.definition.id} stopped: {projection.stopped}")
    except TimeoutError:
        raise NeverEqual(f"{view.definition.id} did not catch up in {_SECONDS:g} s") from None
    finally:
        await feed.stop()
        runner.close()


def _opened_feed(feeds: Feeds, view: Projector[Any], positions: Positions) -> Feed:
    return feeds.history(f"check.{view.definition.id}", view.contexts, positions)


def _as_far(place: Beside, view: Projector[Any], opened: Opened[Any]) -> bool:
    with place.views.database.reading() as connection:
        live = find_live(connection, view)
        if live is None:
            return True
        wanted, reached = load_states(connection, live), load_states(connection, opened.generation)
    return all(
        lane in reached and reached[lane].sequence >= state.sequence
        for lane, state in wanted.items()
        if state.sequence
    )


def sums_of(connection: Connection, opened: Opened[Any], source: Any) -> list[TableSum]:
    """A number for each table that the order of its rows does not change. Keys that the database
    numbers by itself tell the order of writing, and are left out."""
    suffix = opened.generation.suffix
    return [
        TableSum(
            opened.generation.view, name.removesuffix(suffix), source, *_sum(connection, table)
        )
        for name, table in sorted(opened.metadata.tables.items())
    ]


def _sum(connection: Connection, table: Table) -> tuple[int, str]:
    numbered = table.autoincrement_column
    columns = [c for c in table.columns if c is not numbered or c.autoincrement is not True]
    count = total = 0
    for row in connection.execute(select(*columns), execution_options={"yield_per": 5_000}):
        count += 1
        total += int.from_bytes(blake2b(repr(tuple(row)).encode(), digest_size=16).digest())
    return count, f"{total % _MODULUS:032x}"
