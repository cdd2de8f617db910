"""A context's store in one schema of PostgreSQL: appends share transactions, readers never race."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, ClassVar, Final, TypeVar, cast
from uuid import UUID

import psycopg
from eventsourcing.persistence import StoredEvent

from crm_events.sql.arrays import Blobs, PackedArray, Texts, Uuids, register
from crm_events.sql.migrating import postgres_version
from crm_events.sql.postgres import Connection, Connections, Limits, connection_info
from crm_events.store.port import LogPage, Mark, NewEvent, RelayState
from crm_events.store.postgres_append import POSTGRES_VALUES, Save
from crm_events.store.postgres_frontier import Frontier
from crm_events.store.postgres_leader import Leadership
from crm_events.store.postgres_words import in_words_of_the_port
from crm_events.store.postgres_writer import PostgresWriter
from crm_events.store.reading_beside import BesideQueries, everything_beside
from crm_events.store.rows import Row, Values
from crm_events.store.schema import SCRIPTS

T = TypeVar("T")
register(psycopg.adapters)
_ARRAYS: Final[dict[type, type[PackedArray]]] = {UUID: Uuids, bytes: Blobs, str: Texts}


class PostgresRecorder(BesideQueries):
    """Over a schema that the migration job has made. Connects when first used.

    Two connections append, one for threads and one for a loop, and `readers` others read, so that
    neither waits for the other; a caller waits at most `patience` seconds.
    """

    values: ClassVar[Values] = POSTGRES_VALUES

    def __init__(
        self,
        dsn: str,
        schema: str,
        *,
        readers: int = 8,
        limits: Limits | None = None,
        patience: float = 5.0,
    ) -> None:
        limits = limits or Limits()
        conninfo = connection_info(dsn, limits, schema)
        self._schema = schema
        self._readers = Connections(conninfo, readers, limits.connection)
        self._writing = Connections(conninfo, 2, limits.connection)
        self._writer = PostgresWriter(self._writing, patience)
        self._frontier = Frontier(self._readers, schema)
        self._leadership = Leadership(self._readers, schema)

    def rows(self, statement: str, *parameters: Any) -> list[Row]:
        def read(connection: Connection) -> list[Row]:
            cursor = connection.cursor(binary=True)
            return cursor.execute(_translated(statement), parameters).fetchall()

        return self.with_connection(read)

    def with_connection(self, work: Callable[[Connection], T]) -> T:
        """Work that may be done twice, over one of the connections that read."""
        with in_words_of_the_port():
            return self._readers.reading(work)

    def among(self, values: Iterable[Any]) -> Iterator[tuple[str, list[Any]]]:
        every = list(values)
        if every:
            yield "= ANY(?)", [_ARRAYS[type(every[0])].of(every)]

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        events = cast(Sequence[NewEvent], stored_events)
        return self._writer.run(Save(events, everything_beside(kwargs)))

    def read_log(self, after: int, limit: int) -> LogPage:
        with in_words_of_the_port():
            safe_to = self._frontier.at_least(after + limit)
        rows = self.log_rows(after, safe_to, limit)
        if len(rows) == limit:
            safe_to = rows[-1][0]
        return LogPage([self.values.envelope(row) for row in rows], safe_to)

    def safe_position(self) -> int:
        with in_words_of_the_port():
            return self._frontier.advance()

    def schema_current(self) -> bool:
        """Whether the migration job has been run. Raises StoreUnavailable."""
        with in_words_of_the_port():
            version = self._readers.reading(lambda each: postgres_version(each, self._schema))
        return SCRIPTS.fits(version)

    @property
    def waiting(self) -> int:
        """How many callers' work is not begun yet."""
        return self._writer.waiting

    def write_mark(self) -> Mark | None:
        safe_to = self.safe_position()
        at = self.rows("SELECT write_mark(?)", safe_to)[0][0]
        return None if at is None else Mark(at, safe_to)

    def lead(self) -> RelayState | None:
        with in_words_of_the_port():
            return self._leadership.take()

    def resign(self) -> None:
        self._leadership.leave()

    def advance_relay(self, old: RelayState, new: RelayState) -> bool:
        with in_words_of_the_port():
            return self._leadership.advance(old, new)

    def close(self) -> None:
        self._writer.close()
        self._leadership.leave()
        self._writing.close()
        self._readers.close()


@lru_cache(maxsize=200)
def _translated(statement: str) -> str:
    return statement.replace("?", "%s")
