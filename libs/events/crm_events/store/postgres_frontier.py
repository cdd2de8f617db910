"""How far the log on PostgreSQL is complete: where a reader holds and when it steps over a hole.

Positions are drawn before they commit, so they appear out of order, and one whose transaction
failed never appears. A writer takes its transaction number first and draws its positions then. So
once a position is seen, every missing one below it belongs to a transaction numbered below any
number handed out afterwards: when all those have ended, what is still missing is dead.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Final

import psycopg
import structlog

from crm_events.sql.postgres import Connection, Connections, Unreachable

_log = structlog.get_logger("crm.store")
_PATIENCE: Final = 1.0
_LONGEST_BACKOFF: Final = 30.0
_PAGE: Final = 5_000
_NO_END: Final = 2**63

# One statement has one snapshot: rows and xmin belong together. Positions in a row without a gap
# are the last position plus their number in the row.
_WALK: Final = """
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
           coalesce(max(position) FILTER (WHERE position = %(from)s + n), %(from)s),
           coalesce(max(position), 0)
    FROM (
        SELECT position, row_number() OVER (ORDER BY position) AS n
        FROM events WHERE position > %(from)s ORDER BY position LIMIT %(page)s
    ) AS walked
"""
# The snapshot is taken before the number. Not pg_snapshot_xmax: that is one more than the last
# transaction that has ended, and those still running may be numbered at or above it.
_SUSPECT: Final = """
    SELECT (SELECT coalesce(max(position), 0) FROM events), pg_current_xact_id()::text::bigint
"""
_BARRIER: Final = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"


@dataclass(frozen=True, slots=True)
class _Suspicion:
    """All up to `target` is complete once every transaction below `number` has ended."""

    target: int
    number: int
    since: float


class Frontier:
    """Remembers what has been proven, so that its cost does not grow with the log. Thread-safe."""

    def __init__(self, connections: Connections, schema: str, patience: float = _PATIENCE) -> None:
        self._connections = connections
        self._lock_name = f"{schema}/append"
        self._patience = patience
        self._one_at_a_time = threading.Lock()
        self._complete_to = 0
        self._suspicion: _Suspicion | None = None
        self._backoff = patience
        self._no_barrier_before = 0.0

    def at_least(self, wanted: int) -> int:
        """How far the log is complete; proven anew only where `wanted` is not reached yet."""
        return self._complete_to if self._complete_to >= wanted else self.advance(wanted)

    def advance(self, wanted: int = _NO_END) -> int:
        """How far the log is complete now, or as far as is wanted. Raises Unreachable."""
        with self._one_at_a_time:
            try:
                return self._connections.reading(lambda each: self._advance(each, wanted))
            except Unreachable:
                self._forget()
                raise

    def _forget(self) -> None:
        """What answers next may be a database restored to an earlier day."""
        self._complete_to, self._suspicion = 0, None

    def _advance(self, connection: Connection, wanted: int) -> int:
        if self._complete_to == 0 and self._suspicion is None:
            self._suspect(connection)
        if self._hole_ahead(connection, wanted):
            self._suspect(connection)
            if self._hole_ahead(connection, wanted):
                self._break_hold(connection)
        return self._complete_to

    def _hole_ahead(self, connection: Connection, wanted: int) -> bool:
        """Goes page after page as far as it can; whether it was a hole that ended it."""
        while True:
            start = self._complete_to
            hole = self._hole_in_page(connection)
            full = self._complete_to - start >= _PAGE
            if hole or not full or self._complete_to >= wanted:
                return hole

    def _hole_in_page(self, connection: Connection) -> bool:
        number, contiguous, seen = self._walk(connection)
        suspicion = self._suspicion
        if suspicion is not None and number >= suspicion.number:
            self._reach(suspicion.target)
            number, contiguous, seen = self._walk(connection)
        self._reach(contiguous)
        return seen > self._complete_to

    def _walk(self, connection: Connection) -> tuple[int, int, int]:
        row = connection.execute(_WALK, {"from": self._complete_to, "page": _PAGE}).fetchone()
        number, contiguous, seen = row or (0, 0, 0)
        return number, contiguous, seen

    def _reach(self, position: int) -> None:
        self._complete_to = max(self._complete_to, position)
        if self._suspicion is not None and self._complete_to >= self._suspicion.target:
            self._suspicion = None

    def _suspect(self, connection: Connection) -> None:
        if self._suspicion is None:
            target, number = connection.execute(_SUSPECT).fetchone() or (0, 0)
            self._suspicion = _Suspicion(target, number, time.monotonic())

    def _break_hold(self, connection: Connection) -> None:
        """A long transaction that writes no events keeps the oldest number low; appenders alone
        are waited for through the lock that each of them shares."""
        now, suspicion = time.monotonic(), self._suspicion
        if suspicion is None or now < max(
            suspicion.since + self._patience, self._no_barrier_before
        ):
            return
        try:
            with connection.transaction():
                connection.execute("SET LOCAL lock_timeout = '250ms'")
                connection.execute(_BARRIER, [self._lock_name])
        except psycopg.errors.LockNotAvailable:
            self._backoff = min(self._backoff * 2, _LONGEST_BACKOFF)
            self._no_barrier_before = now + self._backoff
            _log.warning("log_held", at=self._complete_to, reason="an append is under way")
        else:
            self._backoff = self._patience
            self._reach(suspicion.target)
