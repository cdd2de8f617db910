"""The table of keys in a SQLite file."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final
from uuid import UUID

from crm_events.clock import utc_now
from crm_events.keys.port import KeysUnavailable
from crm_events.keys.schema import SCRIPTS
from crm_events.keys.sql import KeyTable, Rows, Tombstone
from crm_events.sql.instants import from_micros, to_micros
from crm_events.sql.migrating import migrate_sqlite, use_wal

_PATIENCE: Final = 2.0
_AT_ONCE: Final = 500
_LATELY: Final = timedelta(minutes=10)


class SqliteKeyTable(KeyTable):
    """One connection that its callers take turns on: readers have their cache.

    A destroyed key is overwritten in the file, and the write-ahead log that held it is cut.
    """

    def __init__(self, path: Path, clock: Callable[[], datetime] = utc_now) -> None:
        migrate_sqlite(path, SCRIPTS)
        self._clock = clock
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        use_wal(self._connection)
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("PRAGMA secure_delete=ON")

    @contextmanager
    def _held(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._connection
            except (sqlite3.OperationalError, sqlite3.ProgrammingError) as error:
                raise KeysUnavailable(f"The key database cannot be used: {error}") from error
            finally:
                self._leave_no_transaction()

    def _leave_no_transaction(self) -> None:
        try:
            self._connection.rollback()
        except sqlite3.ProgrammingError:
            return  # closed

    def read(self, subjects: Iterable[UUID]) -> Rows:
        remaining = iter(subjects)
        rows: dict[UUID, bytes | None] = {}
        while some := [subject.bytes for subject in islice(remaining, _AT_ONCE)]:
            statement = (
                f"SELECT subject, wrapped FROM subject_keys WHERE subject IN "
                f"({', '.join('?' * len(some))})"
            )
            with self._held() as connection:
                found = connection.execute(statement, some).fetchall()
            rows |= {UUID(bytes=subject): wrapped for subject, wrapped in found}
        return rows

    def insert(self, rows: Mapping[UUID, bytes]) -> set[UUID]:
        now = to_micros(self._clock())
        statement = (
            "INSERT INTO subject_keys (subject, wrapped, created_at) VALUES (?, ?, ?) "
            "ON CONFLICT (subject) DO NOTHING"
        )
        with self._held() as connection:
            connection.execute("BEGIN IMMEDIATE")
            made = {
                subject
                for subject, wrapped in rows.items()
                if connection.execute(statement, (subject.bytes, wrapped, now)).rowcount == 1
            }
            connection.execute("COMMIT")
        return made

    def bury(self, subject: UUID, reason: str) -> None:
        now = to_micros(self._clock())
        with self._held() as connection:
            connection.execute(
                "INSERT INTO subject_keys (subject, created_at, erased_at, reason) "
                "VALUES (?, ?, ?, ?) ON CONFLICT (subject) DO UPDATE SET wrapped = NULL, "
                "erased_at = excluded.erased_at, reason = excluded.reason WHERE erased_at IS NULL",
                (subject.bytes, now, now, reason),
            )
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def buried_lately(self) -> set[UUID]:
        since = to_micros(self._clock() - _LATELY)
        with self._held() as connection:
            rows = connection.execute(
                "SELECT subject FROM subject_keys WHERE erased_at > ?", (since,)
            ).fetchall()
        return {UUID(bytes=row[0]) for row in rows}

    def tombstone(self, subject: UUID) -> Tombstone | None:
        with self._held() as connection:
            row = connection.execute(
                "SELECT erased_at, reason FROM subject_keys "
                "WHERE subject = ? AND erased_at IS NOT NULL",
                (subject.bytes,),
            ).fetchone()
        return None if row is None else Tombstone(from_micros(row[0]), row[1])

    def empty(self) -> bool:
        with self._held() as connection:
            return connection.execute("SELECT 1 FROM subject_keys LIMIT 1").fetchone() is None

    def schema_current(self) -> bool:
        """Always: opening brings it up to date."""
        return True

    def close(self) -> None:
        with self._lock:
            self._connection.close()
