"""The tiny context over a real store, and the log of pipeline that it reacts to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from crm_events.codec import Codec
from crm_events.feed.port import Feed, Positions
from crm_events.feed.reactor import Reactions, Reactor, TrackedPositions
from crm_events.feed.store import StoreFeed
from crm_events.store.port import EventRecorder
from crm_events.store.sqlite import SqliteRecorder

from tests.events.reactor.tiny import Nowhere, TinyApplication, reactions
from tests.support.keys import KeysInMemory
from tests.support.telling import Telling
from tests.support.until import until

MakeFeed = Callable[[Positions], Feed]


@dataclass
class Tiny:
    """One context and its upstream; reactors come and go."""

    app: TinyApplication
    codec: Codec
    upstream: Telling
    keys: KeysInMemory

    def feed(self, positions: Positions) -> StoreFeed:
        return StoreFeed({"pipeline": self.upstream.recorder}, positions)

    def positions(self, table: Reactions | None = None) -> TrackedPositions:
        return TrackedPositions(self.app.recorder, table or reactions())

    def reactor(self, table: Reactions | None = None, make_feed: MakeFeed | None = None) -> Reactor:
        table = table or reactions()
        feed = (make_feed or self.feed)(self.positions(table))
        return Reactor(self.app, table, self.codec, feed)

    def behind(self) -> bool:
        return self.positions().complete_to("pipeline") < self.upstream.recorder.safe_position()

    async def caught_up(self, seconds: float = 30) -> None:
        """Everything told upstream has been reacted to."""
        await until(lambda: not self.behind(), seconds)

    async def react(self, table: Reactions | None = None) -> Reactor:
        """A reactor runs until it has caught up."""
        async with running(self.reactor(table)) as reactor:
            await self.caught_up()
        return reactor

    async def redeliver(self, reactor: Reactor) -> None:
        """All of the upstream's log once more, to a reactor that has seen it."""
        feed = self.feed(Nowhere())
        await feed.start()
        while batches := await feed.poll(100, 0.05):
            await reactor.take(batches)


@asynccontextmanager
async def running(reactor: Reactor) -> AsyncIterator[Reactor]:
    task = asyncio.create_task(reactor.run())
    try:
        yield reactor
    finally:
        task.cancel()
        await asyncio.wait({task})


@pytest.fixture
def own(tmp_path: Path) -> Iterator[SqliteRecorder]:
    recorder = SqliteRecorder(tmp_path / "tiny.db")
    yield recorder
    recorder.close()


@pytest.fixture
def tiny(tmp_path: Path, own: EventRecorder) -> Iterator[Tiny]:
    keys = KeysInMemory()
    upstream = Telling(tmp_path, "pipeline", keys)
    codec = Codec(keys)
    yield Tiny(TinyApplication(own, codec), codec, upstream, keys)
    upstream.close()
