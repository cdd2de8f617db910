"""Everything that runs: two of each part, the stores and the broker they share, and what may befall
them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from functools import cache, partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final

from crm_events.codec import Codec
from crm_events.feed.kafka import KafkaFeed, KafkaFeedSettings
from crm_events.feed.port import Lane, Positions
from crm_events.feed.reactor import Reactor, TrackedPositions
from crm_events.relay.relay import Relay, RelaySettings
from crm_events.store.sqlite import SqliteRecorder
from crm_events.timers import Timers
from crm_projections.engine.database import sqlite_database
from crm_projections.engine.decoding import Decoder
from crm_projections.engine.generation import find_live, migrate, open_live
from crm_projections.engine.intake import Workplace
from crm_projections.engine.metrics import ViewMetrics
from crm_projections.engine.position import load_states
from crm_projections.engine.projection import Projection
from crm_projections.engine.rebuild import rebuild
from crm_projections.engine.runner import Pace, Runner
from crm_projections.engine.waiting import Bell
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from tests.faults.evidence import Reading
from tests.faults.sim.clients import FakeBroker, connecting
from tests.faults.sim.customers import Customers
from tests.faults.sim.failing import Failing
from tests.faults.sim.kafka import NAMESPACE, FakeKafka
from tests.faults.sim.leading import Lock, SimLeadership
from tests.faults.sim.loop import Part, VirtualLoop
from tests.faults.sim.shop import Buyers, Orders, OrdersView, reactions, remind
from tests.support.decisions import NOW
from tests.support.keys import KeysInMemory

PARTS: Final = (
    "relay-a", "relay-b", "react-a", "react-b", "views-a", "views-b", "timers-a", "timers-b",
)  # fmt: skip
_PACE: Final = Pace(batch=8, poll=0.2)
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - where there is one, no disk is waited for


class World:
    """One run. All that happens in it follows from `seed` and from what it is told to do."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.chance = Random(seed)
        self.loop = VirtualLoop(self.chance)
        self.kafka = FakeKafka(["pipeline"])
        self.lock = Lock()
        self.jump = timedelta()
        self.keys = KeysInMemory()
        self.codec = Codec(self.keys)
        self._open(folder)
        self.customers = Customers(self.orders, self.loop)
        self.view = OrdersView()
        self.parts: dict[str, Part] = {}
        self._rebuilds: list[Part] = []
        self.readings: list[Reading] = []
        self._shown: dict[Lane, int] = {}
        for name in PARTS:
            self.start(name)

    def _open(self, folder: Path) -> None:
        files = {"pipeline.db": _store, "contacts.db": _store, "views.db": _views}
        for name, make in files.items():
            (folder / name).write_bytes(_made_once(make))
        path = folder / "pipeline.db"
        self.leaderships = [SimLeadership(path, self.lock) for _ in range(2)]
        self.recorders = [
            SqliteRecorder(path, clock=self.now, leadership=each) for each in self.leaderships
        ]
        self.contacts = SqliteRecorder(folder / "contacts.db", clock=self.now)
        self.database = Failing(sqlite_database(folder / "views.db"))
        self.orders = Orders(self.recorders[0], self.codec)
        self.buyers = Buyers(self.contacts, self.codec)

    @property
    def store(self) -> SqliteRecorder:
        """That of the orders."""
        return self.recorders[0]

    def now(self) -> datetime:
        """The clock on the wall, which may jump."""
        return NOW + timedelta(seconds=self.loop.time()) + self.jump

    # --- parts ---

    def start(self, name: str) -> None:
        self.parts[name] = part = Part(name)
        self.loop.begin(part, self._work(name))

    def _work(self, name: str) -> Coroutine[Any, Any, None]:
        kind, _, which = name.partition("-")
        make: dict[str, Callable[[int], Coroutine[Any, Any, None]]] = {
            "relay": self._relay,
            "react": self._reactor,
            "views": self._runner,
            "timers": self._timers,
        }
        return make[kind](0 if which == "a" else 1)

    async def _relay(self, which: int) -> None:
        settings = RelaySettings("nowhere", NAMESPACE, "pipeline")
        broker = FakeBroker(self.kafka, self.loop, "pipeline")
        await Relay(self.recorders[which], settings, broker).run()

    async def _reactor(self, which: int) -> None:  # noqa: ARG002 - all are alike
        positions = TrackedPositions(self.contacts, reactions())
        feed = self.feed("reactions", positions)
        await Reactor(self.buyers, reactions(), self.codec, feed).run()

    async def _runner(self, which: int) -> None:  # noqa: ARG002
        work = self.workplace()
        opener = partial(open_live, self.database, self.view, 0)
        projection = Projection(self.view, work, opener)
        make_feed = partial(self.feed, "views")
        await Runner([projection], work, make_feed, Bell(), _PACE, now=self.loop.time).run()

    async def _timers(self, which: int) -> None:  # noqa: ARG002
        await Timers(self.buyers, {"remind": remind}, self.now).run()

    def feed(self, group: str, positions: Positions) -> KafkaFeed:
        settings = KafkaFeedSettings("nowhere", NAMESPACE, ("pipeline",), group)
        return KafkaFeed(settings, positions, connecting(self.kafka, self.loop, self.chance))

    def workplace(self) -> Workplace:
        metrics = ViewMetrics(CollectorRegistry())
        return Workplace(self.database, Decoder(self.codec), self.now, metrics)

    def look(self) -> None:
        """As a client does that never wants to see an older answer than the last one."""
        with self.database.reading() as connection:
            live = find_live(connection, self.view)
            states = load_states(connection, live) if live is not None else {}
        for lane, wanted in self._shown.items():
            shown = states[lane].sequence if lane in states else None
            self.readings.append(Reading(f"{lane.context}/{lane.partition}", 200, wanted, shown))
        self._shown = {lane: state.sequence for lane, state in states.items() if state.sequence}

    # --- what may befall them ---

    def kill(self, name: str) -> None:
        """And start it again, with nothing but what is stored."""
        part = self.parts[name]
        self.loop.kill(part)
        self.kafka.evict(part)
        if name.startswith("relay"):
            self._leadership(name).leave()
        self.start(name)

    def freeze(self, name: str) -> None:
        """It stops where it stands; others are given its lanes and its lock."""
        part = self.parts[name]
        part.frozen = True
        self.kafka.evict(part)
        if name.startswith("relay"):
            self._leadership(name).lose()

    def thaw(self) -> None:
        """What was frozen goes on as if nothing had happened."""
        for part in self.parts.values():
            self.loop.thaw(part)

    def _leadership(self, name: str) -> SimLeadership:
        return self.leaderships[0 if name.endswith("a") else 1]

    def begin_rebuild(self) -> None:
        """Beside everything else."""
        part = Part("rebuild")
        self._rebuilds.append(part)
        self.loop.begin(part, self._rebuild(len(self._rebuilds)))

    def rebuilding(self) -> bool:
        return any(part.task is not None and not part.task.done() for part in self._rebuilds)

    def kill_rebuilds(self) -> None:
        """What they have filled lies there unfinished."""
        for part in self._rebuilds:
            self.loop.kill(part)

    async def _rebuild(self, number: int) -> None:
        make_feed = partial(self.feed, f"rebuild-{number}")
        await rebuild(self.view, self.workplace(), make_feed)

    # --- the end ---

    def close(self) -> None:
        for part in self.parts.values():
            self.loop.kill(part)
        self.kill_rebuilds()
        self.customers.hang_up()
        self.loop.close()
        for recorder in (*self.recorders, self.contacts):
            recorder.close()
        self.database.close()


RUNNING: ContextVar[World] = ContextVar("world")


@contextmanager
def world(seed: int) -> Iterator[World]:
    """A run in a folder of its own; nothing is left of it."""
    place = _MEMORY if _MEMORY.is_dir() else None
    with TemporaryDirectory(prefix="crm-sim-", dir=place) as folder, capture_logs():
        made = World(seed, Path(folder))
        token = RUNNING.set(made)
        try:
            yield made
        finally:
            RUNNING.reset(token)
            made.close()


@cache
def _made_once(make: Callable[[Path], None]) -> bytes:
    with TemporaryDirectory(prefix="crm-sim-") as folder:
        make(Path(folder) / "made.db")
        return (Path(folder) / "made.db").read_bytes()


def _store(path: Path) -> None:
    SqliteRecorder(path).close()


def _views(path: Path) -> None:
    database = sqlite_database(path)
    migrate(database)
    database.close()
