"""What a test of the engine needs: a log, a database, runners over both, and waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID, uuid5

from crm_events.clock import utc_now
from crm_events.codec import Codec
from crm_events.contracts.contacts import LeadTagged
from crm_events.feed.port import Lane
from crm_events.partitions import partition_of
from crm_projections.engine.database import Database
from crm_projections.engine.decoding import Decoder
from crm_projections.engine.generation import find_live, open_generation, open_live
from crm_projections.engine.intake import Workplace
from crm_projections.engine.letters import Parked
from crm_projections.engine.metrics import ViewMetrics
from crm_projections.engine.parking import parked_letters
from crm_projections.engine.position import LaneState, load_states
from crm_projections.engine.projection import Projection
from crm_projections.engine.resolving import Resolver
from crm_projections.engine.runner import LowestPositions, Pace, Runner
from crm_projections.engine.waiting import Bell
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from tests.projections.tags import TagsView
from tests.support.fake_feed import FakeFeed, FakeLog
from tests.support.keys import KeysInMemory

_IDS = UUID("6ba7b814-9dad-11d1-80b4-00c04fd430c8")
PACE = Pace(batch=500, poll=0.01)


def lead(number: int) -> UUID:
    return uuid5(_IDS, f"lead/{number}")


def lead_in(lane: Lane, skip: int = 0) -> UUID:
    """The id of some lead whose events lie in that lane."""
    found = (lead(n) for n in range(10_000) if partition_of(lead(n)) == lane.partition)
    for _ in range(skip):
        next(found)
    return next(found)


@dataclass
class Process:
    """One projection process: its runner, its feed, and the view objects it was started with."""

    runner: Runner
    feed: FakeFeed
    views: Sequence[TagsView]

    async def turn(self, times: int = 1) -> None:
        for _ in range(times):
            await self.runner.turn(self.feed)

    async def until(self, holds: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
        """Turn until a condition holds."""
        async with asyncio.timeout(seconds):
            while not holds():
                await self.turn()
        assert holds(), what

    def projection(self, name: str = "tags") -> Projection[Any]:
        return next(p for p in self.runner.projections if p.name == name)


@dataclass
class Rig:
    """A log and a database; processes come and go."""

    database: Database
    keys: KeysInMemory = field(default_factory=KeysInMemory)
    bell: Bell = field(default_factory=Bell)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    offsets: bool = False

    def __post_init__(self) -> None:
        self.codec = Codec(self.keys)
        self.log = FakeLog(self.codec)
        self._processes: list[Process] = []

    def tag(self, number: int, *tags: str) -> None:
        self.log.append(lead(number), *(LeadTagged(tag=tag) for tag in tags))

    def workplace(self) -> Workplace:
        metrics = ViewMetrics(CollectorRegistry())
        return Workplace(self.database, Decoder(self.codec), utc_now, metrics)

    async def start(self, *views: TagsView) -> Process:
        """A process that follows these views, as after a restart."""
        views = views or (TagsView(),)
        work = self.workplace()
        projections = [
            Projection(view, work, partial(open_live, self.database, view, 0)) for view in views
        ]
        runner = Runner(projections, work, self.make_feed, self.bell, PACE)
        feed = self.make_feed(LowestPositions(projections))
        await feed.start()
        process = Process(runner, feed, views)
        self._processes.append(process)
        return process

    def make_feed(self, positions: Any) -> FakeFeed:
        return FakeFeed(self.log, positions, offsets=self.offsets)

    def stop(self) -> None:
        for process in self._processes:
            process.runner.close()

    # --- what the database holds ---

    def rows(self, view: TagsView) -> list[tuple[Any, ...]]:
        with self.database.reading() as connection:
            generation = find_live(connection, view)
            assert generation is not None
            table = open_generation(view, generation).tables
            columns = (table.c.lead, table.c.version, table.c.tag)
            return [tuple(row) for row in connection.execute(select(*columns).order_by(*columns))]

    def states(self, view: TagsView) -> dict[Lane, LaneState]:
        with self.database.reading() as connection:
            generation = find_live(connection, view)
            return load_states(connection, generation) if generation else {}

    def seen(self, view: TagsView) -> int:
        return sum(state.seen for state in self.states(view).values())

    def parked(self) -> list[Parked]:
        with self.database.reading() as connection:
            return parked_letters(connection)

    def resolver(self, *views: TagsView) -> Resolver:
        return Resolver(self.database, views, self.codec, utc_now)
