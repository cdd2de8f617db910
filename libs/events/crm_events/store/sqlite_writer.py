"""The one writing thread of a SQLite file: many callers' work in one durable transaction."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from crm_events.sql.instants import to_micros
from crm_events.store.port import StoreUnavailable
from crm_events.store.turns import Inbox, Turn

Clock = Callable[[], datetime]

_MOST_TURNS: Final = 256
_MOST_POSITIONS: Final = 5_000

_STATE: Final = """
    SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0),
           coalesce((SELECT recorded_at FROM events ORDER BY position DESC LIMIT 1), 0)
"""


class Group:
    """One transaction: its cursor, its time (microseconds, never before an earlier one's), and
    the last position that has been given out."""

    __slots__ = ("at", "cursor", "head")

    def __init__(self, cursor: sqlite3.Cursor, now: int) -> None:
        cursor.execute("BEGIN IMMEDIATE")
        self.cursor = cursor
        head, last_at = cursor.execute(_STATE).fetchone()
        self.head: int = head
        self.at = max(now, last_at)


Job = Callable[[Group], Any]
_Heard = tuple[Turn[Job, Any], Any, Exception | None]


class SqliteWriter:
    """Runs jobs one after another, each in a savepoint: a failing one harms no neighbour."""

    def __init__(self, connection: sqlite3.Connection, clock: Clock, patience: float) -> None:
        self._connection = connection
        self._clock = clock
        self._patience = patience
        self._inbox: Inbox[Job, Any] = Inbox()
        self._thread = threading.Thread(target=self._serve, name="sqlite-writer", daemon=True)
        self._thread.start()

    def run(self, job: Job) -> Any:
        """What the job answers, once durable. Raises what the job raises, StoreUnavailable."""
        turn: Turn[Job, Any] = Turn(job)
        self._inbox.put(turn)
        return turn.wait(self._patience)

    @property
    def waiting(self) -> int:
        return self._inbox.waiting

    def close(self) -> None:
        self._inbox.close()
        self._thread.join()
        self._connection.close()

    def _serve(self) -> None:
        cursor = self._connection.cursor()
        while (first := self._inbox.take()) is not None:
            self._write(cursor, first)

    def _write(self, cursor: sqlite3.Cursor, first: Turn[Job, Any]) -> None:
        """Nobody hears of anything before the commit, not even of a refusal: what it was refused
        for may be a neighbour's work that is not stored yet."""
        heard: list[_Heard] = []
        turn: Turn[Job, Any] | None = first
        try:
            group = Group(cursor, to_micros(self._clock()))
            most = group.head + _MOST_POSITIONS
            while turn is not None:
                heard.append(_run_one(group, turn))
                full = len(heard) >= _MOST_TURNS or group.head >= most
                turn = None if full else self._inbox.take_now()
            cursor.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 (whoever waits must hear of it)
            self._abandon([turn, *(each for each, _, _ in heard)], error)
            return
        for each, result, refusal in heard:
            each.succeed(result) if refusal is None else each.fail(refusal)

    def _abandon(self, turns: list[Turn[Job, Any] | None], error: Exception) -> None:
        """Nothing of this group is stored: the disk is full, or the file locked or broken."""
        if self._connection.in_transaction:
            self._connection.rollback()
        for turn in turns:
            if turn is not None:
                turn.fail(StoreUnavailable(f"SQLite could not write: {error}"))


def _run_one(group: Group, turn: Turn[Job, Any]) -> _Heard:
    head, cursor = group.head, group.cursor
    cursor.execute("SAVEPOINT turn")
    try:
        result = turn.work(group)
    except sqlite3.OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 (raised in the thread that waits)
        group.head = head
        cursor.execute("ROLLBACK TO turn")
        cursor.execute("RELEASE turn")
        return turn, None, error
    cursor.execute("RELEASE turn")
    return turn, result, None
