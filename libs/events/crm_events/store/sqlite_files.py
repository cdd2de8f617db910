"""Connections to a store's SQLite file, and the lock of its one relay."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from crm_events.sql.migrating import use_wal
from crm_events.store.port import StoreUnavailable
from crm_events.store.rows import Row

_LOCKED_PATIENCE: Final = 2.0
_WAL_KEPT: Final = 64 * 1024 * 1024


def writing_connection(path: Path) -> sqlite3.Connection:
    """For the writing thread; a commit is on the disk before anybody hears of it."""
    connection = _connection(path)
    use_wal(connection)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"PRAGMA journal_size_limit={_WAL_KEPT}")
    return connection


def _connection(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        path, timeout=_LOCKED_PATIENCE, isolation_level=None, check_same_thread=False
    )


class Readers:
    """As many reading connections as there were threads reading at the same moment."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: deque[sqlite3.Connection] = deque()
        self._closed = False

    def rows(self, statement: str, parameters: Sequence[Any]) -> list[Row]:
        try:
            with self._borrowed() as connection:
                return connection.execute(statement, parameters).fetchall()
        except sqlite3.DatabaseError as error:
            raise StoreUnavailable(f"SQLite could not read {self._path.name}: {error}") from error

    @contextmanager
    def _borrowed(self) -> Iterator[sqlite3.Connection]:
        if self._closed:
            raise StoreUnavailable("The store has been closed.")
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._open()
        try:
            yield connection
        finally:
            self._give_back(connection)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        self._idle.append(connection)
        if self._closed:
            self.close()

    def _open(self) -> sqlite3.Connection:
        connection = _connection(self._path)
        connection.execute("PRAGMA query_only=1")
        return connection

    def close(self) -> None:
        self._closed = True
        while self._idle:
            self._idle.pop().close()


class Leadership:
    """At most one relay for a file, whichever process or recorder it runs in."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(f"{path.name}-relay")
        self._file: int | None = None

    @property
    def held(self) -> bool:
        return self._file is not None

    def take(self) -> bool:
        """Whoever holds it already takes it anew."""
        self.leave()
        file = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        self._file = file
        return True

    def leave(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
