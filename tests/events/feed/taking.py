"""A consumer as the feed's port wants it: what it took and its positions in one SQL transaction."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from crm_events.envelope import Envelope
from crm_events.feed.order import in_order
from crm_events.feed.port import Feed, Lane, LaneBatch, LanePosition, Unreadable

_SCHEMA = """
    CREATE TABLE IF NOT EXISTS positions (
        context TEXT, part INTEGER, sequence INTEGER, event_id TEXT, next_offset INTEGER,
        complete_to INTEGER, PRIMARY KEY (context, part)
    );
    CREATE TABLE IF NOT EXISTS taken (
        n INTEGER PRIMARY KEY, context TEXT, part INTEGER, sequence INTEGER, event_id TEXT,
        by TEXT, UNIQUE (context, sequence)
    );
"""
_MOVE = """
    INSERT INTO positions VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (context, part) DO UPDATE SET sequence = excluded.sequence,
        event_id = excluded.event_id, next_offset = excluded.next_offset,
        complete_to = excluded.complete_to
    WHERE positions.sequence = ?
"""


class Overtaken(Exception):
    """Somebody else has moved the lane: nothing of this batch was stored."""


class Taker:
    """Takes every event once; a second time would break the table's key. The Positions port too."""

    def __init__(self, path: Path, name: str = "one") -> None:
        self.name = name
        self.unreadable: list[Unreadable] = []
        self.gaps: list[int] = []
        self.repeats = 0
        self._path = path
        with self._connect() as connection:
            connection.executescript(_SCHEMA)

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._path, timeout=20, isolation_level=None)
        try:
            yield connection
        finally:
            connection.close()

    def load(self, lanes: Sequence[Lane]) -> Mapping[Lane, LanePosition]:
        with self._connect() as connection:
            rows = connection.execute("SELECT * FROM positions").fetchall()
        stored = {
            Lane(context, part): LanePosition(sequence, UUID(id) if id else None, offset, complete)
            for context, part, sequence, id, offset, complete in rows
        }
        return {lane: stored[lane] for lane in lanes if lane in stored}

    def take(self, batches: Sequence[LaneBatch]) -> dict[Lane, LanePosition]:
        """Store what follows; raises Overtaken where another consumer was first."""
        moved: dict[Lane, LanePosition] = {}
        with self._connect() as connection:
            connection.execute("BEGIN IMMEDIATE")
            for batch in batches:
                moved[batch.lane] = self._take_one(connection, batch)
            connection.execute("COMMIT")
        self.unreadable += [u for batch in batches for u in batch.unreadable]
        return moved

    def _take_one(self, connection: sqlite3.Connection, batch: LaneBatch) -> LanePosition:
        before = _before(connection, batch.lane)
        order = in_order(batch.envelopes, before.sequence)
        self.repeats += order.repeats
        if order.gap is not None:
            self.gaps.append(order.gap)
        connection.executemany(
            "INSERT INTO taken (context, part, sequence, event_id, by) VALUES (?, ?, ?, ?, ?)",
            [(*batch.lane, e.sequence, str(e.id), self.name) for e in order.fresh],
        )
        after = _after(batch, order.fresh, before, order.gap)
        event_id = None if after.event_id is None else str(after.event_id)
        row = (after.sequence, event_id, after.offset, after.complete_to, before.sequence)
        moved = connection.execute(_MOVE, (*batch.lane, *row))
        if moved.rowcount != 1:
            raise Overtaken(batch.lane)
        return after

    def taken(self) -> dict[Lane, list[tuple[int, UUID]]]:
        """Sequence and id of every event, by lane, in the order they were taken."""
        with self._connect() as connection:
            rows = connection.execute(
                "SELECT context, part, sequence, event_id FROM taken ORDER BY n"
            ).fetchall()
        found: dict[Lane, list[tuple[int, UUID]]] = {}
        for context, part, sequence, id in rows:
            found.setdefault(Lane(context, part), []).append((sequence, UUID(id)))
        return found

    def count(self) -> int:
        with self._connect() as connection:
            (count,) = connection.execute("SELECT count(*) FROM taken").fetchone()
        return int(count)

    def takers(self) -> set[str]:
        with self._connect() as connection:
            return {name for (name,) in connection.execute("SELECT DISTINCT by FROM taken")}

    def complete_to(self) -> int:
        """Up to where all twelve lanes of contacts have been seen."""
        lanes = [Lane("contacts", number) for number in range(12)]
        stored = self.load(lanes)
        return min((stored[lane].complete_to if lane in stored else 0) for lane in lanes)


def _before(connection: sqlite3.Connection, lane: Lane) -> LanePosition:
    row = connection.execute(
        "SELECT sequence, event_id, next_offset, complete_to FROM positions "
        "WHERE context = ? AND part = ?",
        lane,
    ).fetchone()
    if row is None:
        return LanePosition()
    return LanePosition(row[0], UUID(row[1]) if row[1] else None, row[2], row[3])


def _after(
    batch: LaneBatch, fresh: Sequence[Envelope], before: LanePosition, gap: int | None
) -> LanePosition:
    last = fresh[-1] if fresh else None
    sequence, id = (last.sequence, last.id) if last else (before.sequence, before.event_id)
    if gap is not None:
        return LanePosition(sequence, id, before.offset, max(sequence, before.complete_to))
    complete_to = max(batch.complete_to, sequence, before.complete_to)
    return LanePosition(sequence, id, batch.next_offset or before.offset, complete_to)


async def follow(feed: Feed, taker: Taker, size: int = 500) -> None:
    """Take from the feed until cancelled; what another consumer took is read again."""
    await feed.start()
    try:
        while True:
            await turn(feed, taker, size)
    finally:
        await feed.stop()


async def turn(feed: Feed, taker: Taker, size: int = 500) -> Sequence[LaneBatch]:
    """One poll, taken."""
    batches = await feed.poll(size, 0.2)
    try:
        await feed.commit(await asyncio.to_thread(taker.take, batches))
    except Overtaken:
        for batch in batches:
            await feed.rewind(batch.lane)
    return batches
