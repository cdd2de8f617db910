"""Connections to PostgreSQL that give up in time and come back by themselves."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.waiting import wait_async

from crm_events.waiting import blocking, is_on_loop, until

T = TypeVar("T")

_CONNECT_SECONDS: Final = 2
_LOOK_SECONDS: Final = 0.1
"""How often one that waits looks whether it is to be interrupted, as psycopg has it."""
# A peer that is gone without a word is noticed within about 5 s.
_KEEPALIVE: Final = {
    "keepalives_idle": 3,
    "keepalives_interval": 1,
    "keepalives_count": 2,
    "tcp_user_timeout": 3000,
}
# The server says goodbye, or has become one that cannot be written to.
_GOODBYES: Final = (
    psycopg.errors.AdminShutdown,
    psycopg.errors.CrashShutdown,
    psycopg.errors.CannotConnectNow,
    psycopg.errors.IdleInTransactionSessionTimeout,
    psycopg.errors.ReadOnlySqlTransaction,
)


class Connection(psycopg.Connection[Any]):
    """One whose answers are waited for as everything is: see `crm_events.waiting`."""

    def wait(
        self, gen: PQGen[T], interval: float = _LOOK_SECONDS, timeout: float | None = None
    ) -> T:
        if not is_on_loop():
            return super().wait(gen, interval, timeout)
        return until(wait_async(gen, self.pgconn.socket, interval, timeout))


@dataclass(frozen=True, slots=True)
class Limits:
    """How long, in seconds, anything may take before it is given up."""

    connection: float = 0.8
    lock: float = 2.0
    statement: float = 5.0


def connection_info(dsn: str, limits: Limits, schema: str | None = None) -> str:
    """The address with our limits, in UTC, and where given the schema that bare names lie in."""
    settings = {
        "lock_timeout": round(limits.lock * 1000),
        "statement_timeout": round(limits.statement * 1000),
        "idle_in_transaction_session_timeout": 10_000,
        "TimeZone": "UTC",
    }
    if schema is not None:
        settings["search_path"] = schema
    given = str(conninfo_to_dict(dsn).get("options") or "")
    options = " ".join([given, *(f"-c {name}={value}" for name, value in settings.items())])
    return make_conninfo(
        dsn, options=options.strip(), connect_timeout=_CONNECT_SECONDS, **_KEEPALIVE
    )


class Unreachable(Exception):
    """The server cannot be talked to."""


class NoConnection(Unreachable):
    """None could be had in time: nothing has been done."""


class ConnectionBroke(Unreachable):
    """It broke in use: what was under way may have been done."""


class _Loan(AbstractContextManager[Connection]):
    """A class, because every statement passes here and a generator costs three times as much."""

    __slots__ = ("_connection", "_pool")

    def __init__(self, pool: Connections) -> None:
        self._pool = pool

    def __enter__(self) -> Connection:
        self._connection = self._pool.lend()
        return self._connection

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        broken = isinstance(error, psycopg.Error) and (
            self._connection.closed or isinstance(error, _GOODBYES)
        )
        self._pool.give_back(self._connection, broken=broken)
        if broken:
            raise ConnectionBroke(str(error)) from error


class Connections:
    """At most `size` connections, each made by the caller who needs one.

    So a dead server is noticed at once, with its reason, and a server that is back is used by the
    next caller: no thread has to find out first. Thread-safe.
    """

    def __init__(self, conninfo: str, size: int, patience: float) -> None:
        self._conninfo = conninfo
        self._patience = patience
        self._free = threading.Semaphore(size)
        self._idle: deque[Connection] = deque()
        self._closed = False

    def borrow(self) -> AbstractContextManager[Connection]:
        """In autocommit. Raises Unreachable, also where the connection breaks inside."""
        return _Loan(self)

    def lend(self) -> Connection:
        """One that is to be given back. Raises NoConnection."""
        if not self._free.acquire(blocking=False) and not self._waited_for():
            raise NoConnection(f"every connection was in use for {self._patience} s")
        try:
            return self._take()
        except BaseException:
            self._free.release()
            raise

    def _waited_for(self) -> bool:
        return blocking(lambda: self._free.acquire(timeout=self._patience))

    def give_back(self, connection: Connection, *, broken: bool) -> None:
        """What broke one connection has as a rule broken all that are idle."""
        try:
            if broken:
                connection.close()
                self._drop_idle()
            self._give_back(connection)
        finally:
            self._free.release()

    def _take(self) -> Connection:
        if self._closed:
            raise NoConnection("the pool has been closed")
        with suppress(IndexError):
            return self._idle.pop()
        return self.connect()

    def connect(self) -> Connection:
        """One of the caller's own, not counted. Raises NoConnection."""
        try:
            return blocking(lambda: Connection.connect(self._conninfo, autocommit=True))
        except psycopg.OperationalError as error:
            raise NoConnection(str(error)) from error

    def _give_back(self, connection: Connection) -> None:
        idle = connection.pgconn.transaction_status == psycopg.pq.TransactionStatus.IDLE
        if self._closed or not idle:
            connection.close()
        else:
            self._idle.append(connection)

    def _drop_idle(self) -> None:
        with suppress(IndexError):
            while True:
                self._idle.pop().close()

    def reading(self, read: Callable[[Connection], T]) -> T:
        """Once more on a fresh connection where an idle one turns out to be broken."""
        try:
            with self.borrow() as connection:
                return read(connection)
        except ConnectionBroke:
            with self.borrow() as connection:
                return read(connection)

    def close(self) -> None:
        self._closed = True
        self._drop_idle()
