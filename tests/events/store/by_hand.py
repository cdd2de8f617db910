"""Transactions on PostgreSQL that a test begins and ends by hand, and readers that are wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from crm_events.ids import new_id
from crm_events.sql.postgres import Connection, Limits, connection_info
from crm_events.store.port import Beside, NewEvent
from crm_events.store.postgres_append import Save, append

from tests.events.store.building import event

_LONG = Limits(connection=5, lock=30, statement=30)


class ByHand:
    """One open transaction through the same function that every save goes through."""

    def __init__(self, dsn: str, schema: str) -> None:
        self.connection = Connection.connect(connection_info(dsn, _LONG, schema), autocommit=False)

    def take_number(self) -> int:
        """As a transaction does that writes, if only somewhere else."""
        row = self.connection.execute("SELECT pg_current_xact_id()::text::bigint").fetchone()
        assert row is not None
        return int(row[0])

    def append(self, *events: NewEvent) -> list[int]:
        written = events or (event(new_id(), 1),)
        return append(self.connection, [Save(written, Beside())])[0]

    def commit(self) -> None:
        self.connection.commit()

    def roll_back(self) -> None:
        self.connection.rollback()


@contextmanager
def by_hand(dsn: str, schema: str) -> Iterator[ByHand]:
    transaction = ByHand(dsn, schema)
    try:
        yield transaction
    finally:
        transaction.connection.close()


class NaiveTail:
    """`WHERE position > last`: what most tutorials do."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self.seen: list[int] = []

    def poll(self) -> None:
        last = self.seen[-1] if self.seen else 0
        rows = self._connection.execute(
            "SELECT position FROM events WHERE position > %s ORDER BY position", [last]
        )
        self.seen += [position for (position,) in rows.fetchall()]


class XmaxTail:
    """Holds at a hole, but takes the snapshot's xmax for the bound instead of a fresh number."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._bound: int | None = None
        self._safe_to = 0
        self.seen: list[int] = []

    def poll(self) -> None:
        xmin, xmax, positions = self._look()
        if self._bound is not None and xmin >= self._bound:
            self._safe_to, self._bound = max([self._safe_to, *positions]), None
        for position in positions:
            if position > self._safe_to + 1:
                self._bound = self._bound or xmax
                break
            self._safe_to = max(self._safe_to, position)
        last = self.seen[-1] if self.seen else 0
        self.seen += [each for each in positions if last < each <= self._safe_to]

    def _look(self) -> tuple[int, int, list[int]]:
        row = self._connection.execute(
            "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint,"
            " pg_snapshot_xmax(pg_current_snapshot())::text::bigint,"
            " ARRAY(SELECT position FROM events ORDER BY position)"
        ).fetchone()
        assert row is not None
        return row[0], row[1], row[2]
