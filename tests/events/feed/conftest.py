"""The same log behind both adapters: a store, read directly or carried to Kafka by a relay."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest
from crm_events.feed.kafka import KafkaFeed, KafkaFeedSettings
from crm_events.feed.port import Feed, Lane, Positions
from crm_events.feed.store import StoreFeed
from crm_events.relay.relay import Relay, RelaySettings
from crm_events.store.sqlite import SqliteRecorder
from crm_servers import KafkaServer

from tests.events.feed.taking import Taker, follow
from tests.events.relay.conftest import reaches
from tests.events.topic import delete_topic
from tests.events.writing import Writer, chains
from tests.support.until import until


class Log(ABC):
    """The log of contacts, and feeds over it."""

    def __init__(self, recorder: SqliteRecorder) -> None:
        self.recorder = recorder
        self.writer = Writer(recorder)

    @abstractmethod
    def feed(self, positions: Positions) -> Feed: ...

    @abstractmethod
    async def settled(self) -> None:
        """Everything written so far can be read."""

    @abstractmethod
    async def marked(self) -> None:
        """A mark of now can be read."""

    @abstractmethod
    async def replace(self, recorder: SqliteRecorder) -> None:
        """Another store stands in this one's place, as after a restore."""

    async def close(self) -> None:
        self.recorder.close()

    def stored(self) -> dict[Lane, list[tuple[int, UUID]]]:
        """Sequence and id of every event, by lane, in order."""
        return {
            Lane("contacts", partition): [(sequence, id) for sequence, _, id in events]
            for partition, events in chains(self.recorder).items()
        }

    @asynccontextmanager
    async def taken_by(self, taker: Taker, size: int = 500) -> AsyncIterator[Feed]:
        """A consumer at work."""
        feed = self.feed(taker)
        task = asyncio.create_task(follow(feed, taker, size))
        try:
            yield feed
        finally:
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error


class InStore(Log):
    def feed(self, positions: Positions) -> Feed:
        return StoreFeed({"contacts": self.recorder}, positions)

    async def settled(self) -> None:
        """A store's log needs nobody to carry it."""

    async def marked(self) -> None:
        self.recorder.write_mark()

    async def replace(self, recorder: SqliteRecorder) -> None:
        self.recorder.close()
        self.recorder = recorder


class OnKafka(Log):
    def __init__(self, recorder: SqliteRecorder, bootstrap: str, namespace: str) -> None:
        super().__init__(recorder)
        self.bootstrap, self.namespace = bootstrap, namespace
        self.topic = f"{namespace}.contacts.events"
        self._start()

    def _start(self) -> None:
        settings = RelaySettings(self.bootstrap, self.namespace, "contacts")
        self.relay = Relay(self.recorder, settings)
        self._task = asyncio.create_task(self.relay.run())

    async def stop_relay(self) -> None:
        self._task.cancel()
        await asyncio.wait({self._task})

    async def start_relay(self) -> None:
        self._start()
        await until(lambda: self.relay.leading, 30)

    def feed(self, positions: Positions) -> KafkaFeed:
        return KafkaFeed(self.settings(), positions)

    def settings(self, group: str = "takers", silence: float = 30.0) -> KafkaFeedSettings:
        return KafkaFeedSettings(
            self.bootstrap, self.namespace, ("contacts",), group, silence=silence
        )

    async def settled(self) -> None:
        await reaches(self.relay, self.recorder.safe_position())

    async def marked(self) -> None:
        before = len(self.recorder.marks(None, 10_000))
        await until(lambda: len(self.recorder.marks(None, 10_000)) > before)

    async def replace(self, recorder: SqliteRecorder) -> None:
        await self.stop_relay()
        self.recorder.close()
        self.recorder = recorder
        await delete_topic(self.bootstrap, self.topic)
        await self.start_relay()

    async def close(self) -> None:
        await self.stop_relay()
        await super().close()


@pytest.fixture
def store(tmp_path: Path) -> SqliteRecorder:
    return SqliteRecorder(tmp_path / "contacts.db")


@asynccontextmanager
async def _carried(store: SqliteRecorder, bootstrap: str, namespace: str) -> AsyncIterator[OnKafka]:
    log = OnKafka(store, bootstrap, namespace)
    await until(lambda: log.relay.leading)
    yield log
    await log.close()


@pytest.fixture
async def on_kafka(
    store: SqliteRecorder, kafka: KafkaServer, namespace: str
) -> AsyncIterator[OnKafka]:
    async with _carried(store, kafka.bootstrap, namespace) as log:
        yield log


@pytest.fixture(params=["store", "kafka"])
def broker(request: pytest.FixtureRequest) -> str | None:
    """The address of a broker where the log is carried by one."""
    if request.param == "store":
        return None
    kafka: KafkaServer = request.getfixturevalue("kafka")
    return kafka.bootstrap


@pytest.fixture
async def log(broker: str | None, store: SqliteRecorder, namespace: str) -> AsyncIterator[Log]:
    if broker is None:
        in_store = InStore(store)
        yield in_store
        await in_store.close()
    else:
        async with _carried(store, broker, namespace) as log:
            yield log


@pytest.fixture
def taker(tmp_path: Path) -> Taker:
    return Taker(tmp_path / "taken.db")
