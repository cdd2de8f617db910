"""A context's store in one SQLite file: one writing thread, readers beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Final, cast

from eventsourcing.persistence import StoredEvent

from crm_events.clock import utc_now
from crm_events.sql.instants import from_micros
from crm_events.sql.migrating import migrate_sqlite
from crm_events.store.port import LogPage, Mark, NewEvent, RelayState
from crm_events.store.reading_beside import (
    SELECT_RELAY,
    BesideQueries,
    everything_beside,
    packed_lasts,
    relay_state,
)
from crm_events.store.rows import Row, Values
from crm_events.store.schema import SCRIPTS
from crm_events.store.sqlite_append import SQLITE_VALUES, append
from crm_events.store.sqlite_files import Leadership, Readers, writing_connection
from crm_events.store.sqlite_writer import Clock, Group, Job, SqliteWriter

_PATIENCE: Final = 10.0
_NO_END: Final = 2**62
_AT_ONCE: Final = 500


class SqliteRecorder(BesideQueries):
    """Made, and brought up to date, where the file is missing or old.

    One process writes at a time (the home's lock sees to that); any may read. A caller waits at
    most `patience` seconds for the disk. Positions have no holes, so the whole log is safe.
    """

    values: ClassVar[Values] = SQLITE_VALUES

    def __init__(
        self,
        path: Path | str,
        *,
        clock: Clock = utc_now,
        patience: float = _PATIENCE,
        leadership: Leadership | None = None,
    ) -> None:
        self._path = Path(path)
        migrate_sqlite(self._path, SCRIPTS)
        self._readers = Readers(self._path)
        self._writer = SqliteWriter(writing_connection(self._path), clock, patience)
        self._leadership = leadership or Leadership(self._path)

    def rows(self, statement: str, *parameters: Any) -> list[Row]:
        return self._readers.rows(statement, parameters)

    def writing(self, job: Job) -> Any:
        """What the job answers, once what it wrote is durable."""
        return self._writer.run(job)

    def among(self, values: Iterable[Any]) -> Iterator[tuple[str, list[Any]]]:
        remaining = iter(values)
        while some := list(islice(remaining, _AT_ONCE)):
            yield f"IN ({', '.join('?' * len(some))})", some

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        events = cast(Sequence[NewEvent], stored_events)
        beside = everything_beside(kwargs)
        positions: list[int] = self._writer.run(partial(_append, events=events, beside=beside))
        return positions

    def read_log(self, after: int, limit: int) -> LogPage:
        rows = self.log_rows(after, _NO_END, limit)
        safe_to = rows[-1][0] if rows else min(after, self.safe_position())
        return LogPage([self.values.envelope(row) for row in rows], safe_to)

    def safe_position(self) -> int:
        return int(self.rows("SELECT coalesce(max(position), 0) FROM events")[0][0])

    def schema_current(self) -> bool:
        """Always: opening brings it up to date."""
        return True

    @property
    def waiting(self) -> int:
        """How many callers' work is not begun yet."""
        return self._writer.waiting

    def write_mark(self) -> Mark | None:
        mark: Mark | None = self._writer.run(_mark)
        return mark

    def lead(self) -> RelayState | None:
        if not self._leadership.take():
            return None
        state: RelayState = self._writer.run(_next_epoch)
        return state

    def resign(self) -> None:
        self._leadership.leave()

    def advance_relay(self, old: RelayState, new: RelayState) -> bool:
        moved: bool = self._leadership.held and self._writer.run(
            partial(_advance, old=old, new=new)
        )
        return moved

    def close(self) -> None:
        self._writer.close()
        self._readers.close()
        self._leadership.leave()


def _append(group: Group, **save: Any) -> list[int]:
    return append(group, **save)


def _mark(group: Group) -> Mark | None:
    """While the log rests its newest mark moves along instead of being joined by another."""
    last = group.cursor.execute("SELECT at, safe_to FROM marks ORDER BY at DESC LIMIT 2").fetchall()
    if last and last[0][0] >= group.at:
        return None
    if [safe_to for _, safe_to in last] == [group.head, group.head]:
        group.cursor.execute("UPDATE marks SET at = ? WHERE at = ?", (group.at, last[0][0]))
    else:
        group.cursor.execute(
            "INSERT INTO marks (at, safe_to) VALUES (?, ?)", (group.at, group.head)
        )
    return Mark(from_micros(group.at), group.head)


def _next_epoch(group: Group) -> RelayState:
    group.cursor.execute("UPDATE relay SET epoch = epoch + 1")
    return relay_state(group.cursor.execute(SELECT_RELAY).fetchone())


def _advance(group: Group, old: RelayState, new: RelayState) -> bool:
    group.cursor.execute(
        "UPDATE relay SET position = ?, last_in_partition = ? WHERE position = ? AND epoch = ?",
        (new.position, packed_lasts(new), old.position, old.epoch),
    )
    return group.cursor.rowcount == 1
