"""Where the time of R8 goes: the instants of an event on its way from a command to a view.

The product tells nothing of it. Ports that it is handed are wrapped here: its recorder, its feed,
its view and the view's database.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any, Final, cast

from crm_events.feed.kafka import KafkaFeed, KafkaFeedSettings
from crm_events.feed.port import Feed, LaneBatch, Positions
from crm_events.store.port import LogPage, RelayState
from crm_events.store.postgres import PostgresRecorder
from crm_projections.engine.database import Database
from crm_projections.engine.feeds import Contexts, Open
from crm_projections.engine.view import Received
from crm_projections.views.retention.projector import RetentionView
from sqlalchemy import Connection, Table

STAGES: Final = (
    "saved", "read by the relay", "acknowledged by Kafka", "polled", "transaction begun",
    "committed", "told",
)  # fmt: skip
"""Each lasts from the instant before it."""
_SLOWEST: Final = 5
_HANDED: Final = "handed"
Clock = Callable[[], float]


class Journeys:
    """The instants of events by the sequence they were stored under, in seconds of one clock."""

    def __init__(self, clock: Clock = time.perf_counter) -> None:
        self.clock = clock
        self._begun: dict[int, float] = {}
        self._reached: dict[str, dict[int, float]] = {stage: {} for stage in STAGES}

    def reach(self, stage: str, sequences: Iterable[int], at: float | None = None) -> None:
        """Of an event that comes by twice the first time counts."""
        now = self.clock() if at is None else at
        for sequence in sequences:
            self._reached[stage].setdefault(sequence, now)

    def sample(self, sequence: int, begun: float) -> None:
        """Only samples are told of: begun then, and told to whoever waits for it now."""
        self._begun[sequence] = begun
        self.reach("told", (sequence,))

    def forget(self) -> None:
        """What was only to warm up."""
        self._begun.clear()

    def lasted(self) -> list[dict[str, float]]:
        """Milliseconds in each stage, of every sample, in the order they began in. What two ends of
        a connection see the other way round, such as an acknowledgement and its record, took no
        time in between."""
        in_order = sorted(self._begun.items(), key=lambda sample: sample[1])
        return [self._lasted(sequence, begun) for sequence, begun in in_order]

    def _lasted(self, sequence: int, begun: float) -> dict[str, float]:
        lasted, before = {}, begun
        for stage in STAGES:
            at = max(self._reached[stage].get(sequence, before), before)
            lasted[stage], before = 1_000 * (at - before), at
        return lasted

    def told(self) -> str:
        """A line for each stage, and the slowest samples with the stage that took longest."""
        samples = self.lasted()
        if not samples:
            return ""
        rows = [_row(stage, [sample[stage] for sample in samples]) for stage in STAGES]
        rows.append(_row("all of it", [sum(sample.values()) for sample in samples]))
        numbered = enumerate(samples, 1)
        slow = sorted(numbered, key=lambda one: sum(one[1].values()), reverse=True)[:_SLOWEST]
        head = ["| stage, until | p50 ms | p99 ms |", "| --- | ---: | ---: |"]
        return "\n  ".join([*head, *rows, *(_slow(*one, len(samples)) for one in slow)])


def _row(stage: str, lasted: Sequence[float]) -> str:
    found = sorted(lasted)
    p99 = found[min(len(found) - 1, len(found) * 99 // 100)]
    return f"| {stage} | {statistics.median(found):.1f} | {p99:.1f} |"


def _slow(number: int, sample: Mapping[str, float], samples: int) -> str:
    longest = max(sample, key=lambda stage: sample[stage])
    every = ", ".join(f"{stage} {lasted:.1f}" for stage, lasted in sample.items())
    whole = sum(sample.values())
    return f"slow: {whole:.1f} ms, {number} of {samples}, longest until {longest} ({every})"


class TimedRecorder(PostgresRecorder):
    """The relay's: what it has read, and what it moves its position past once that is on Kafka."""

    journeys: Journeys

    def read_log(self, after: int, limit: int) -> LogPage:
        page = super().read_log(after, limit)
        sequences = (envelope.sequence for envelope in page.envelopes)
        self.journeys.reach("read by the relay", sequences)
        return page

    def advance_relay(self, old: RelayState, new: RelayState) -> bool:
        passed = range(old.position + 1, new.position + 1)
        self.journeys.reach("acknowledged by Kafka", passed)
        return super().advance_relay(old, new)


@contextmanager
def timed_recorder(dsn: str, schema: str, journeys: Journeys) -> Iterator[TimedRecorder]:
    recorder = TimedRecorder(dsn, schema)
    recorder.journeys = journeys
    with closing(recorder):
        yield recorder


class TimedFeed(KafkaFeed):
    """The projector's."""

    journeys: Journeys

    async def poll(self, max_events: int, timeout: float) -> Sequence[LaneBatch]:
        batches = await super().poll(max_events, timeout)
        envelopes = (envelope for batch in batches for envelope in batch.envelopes)
        self.journeys.reach("polled", (envelope.sequence for envelope in envelopes))
        return batches


def timed_feeds(bootstrap: str, namespace: str, journeys: Journeys) -> Open:
    def open_feed(name: str, contexts: Contexts, positions: Positions) -> Feed:
        feed = TimedFeed(KafkaFeedSettings(bootstrap, namespace, contexts, name), positions)
        feed.journeys = journeys
        return feed

    return open_feed


class TimedView(RetentionView):
    """Leaves with the connection what it was handed in the transaction that it is in."""

    def apply(self, connection: Connection, tables: Table, batch: Sequence[Received]) -> None:
        connection.info[_HANDED] = [one.envelope.sequence for one in batch]
        super().apply(connection, tables, batch)


class TimedDatabase:
    """The view's; everything else than its transactions is the real one's own."""

    def __init__(self, inner: Database, journeys: Journeys) -> None:
        self._inner, self._journeys = inner, journeys

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        begun = self._journeys.clock()
        with self._inner.writing() as connection:
            connection.info[_HANDED] = []
            yield connection
            handed: list[int] = connection.info[_HANDED]
        self._journeys.reach("transaction begun", handed, begun)
        self._journeys.reach("committed", handed)


def timed_database(inner: Database, journeys: Journeys) -> Database:
    return cast(Database, TimedDatabase(inner, journeys))
