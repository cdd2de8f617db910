"""The one relay of a context on PostgreSQL: a lock that lasts as long as its connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg

from crm_events.sql.postgres import Connection, Connections, Unreachable
from crm_events.store.port import RelayState
from crm_events.store.reading_beside import packed_lasts, relay_state

_TAKE: Final = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
_NEXT_EPOCH: Final = (
    "UPDATE relay SET epoch = epoch + 1 RETURNING position, epoch, last_in_partition"
)
_ADVANCE: Final = (
    "UPDATE relay SET position = %s, last_in_partition = %s WHERE position = %s AND epoch = %s"
)
# A move that a crash of the server takes back is made again: what it covered is published twice, as
# after any crash between the two. So no look at the log waits for the disk.
_NOT_FOR_THE_DISK: Final = "SET synchronous_commit = off"


class Leadership:
    """Every step goes over the connection that holds the lock: without it no step is made."""

    def __init__(self, connections: Connections, schema: str) -> None:
        self._connections = connections
        self._lock_name = f"{schema}/relay"
        self._held: Connection | None = None

    def take(self) -> RelayState | None:
        """Raises Unreachable."""
        self.leave()
        connection = self._connections.connect()
        with self._kept_or_closed(connection):
            row = connection.execute(_TAKE, [self._lock_name]).fetchone()
            if row is None or not row[0]:
                connection.close()
                return None
            state = connection.execute(_NEXT_EPOCH).fetchone()
            connection.execute(_NOT_FOR_THE_DISK)
        self._held = connection
        return None if state is None else relay_state(state)

    def advance(self, old: RelayState, new: RelayState) -> bool:
        """Raises Unreachable."""
        if self._held is None:
            return False
        row = (new.position, packed_lasts(new), old.position, old.epoch)
        with self._kept_or_closed(self._held) as connection:
            return connection.execute(_ADVANCE, row).rowcount == 1

    @contextmanager
    def _kept_or_closed(self, connection: Connection) -> Iterator[Connection]:
        try:
            yield connection
        except psycopg.Error as error:
            connection.close()
            self._held = None
            raise Unreachable(str(error)) from error

    def leave(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None
