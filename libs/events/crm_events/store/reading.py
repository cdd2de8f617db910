"""Streams and the log: the questions both databases are asked in the same words."""

from __future__ import annotations

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final, Never, cast
from uuid import UUID

from eventsourcing.persistence import Notification, StoredEvent

from crm_events.envelope import Envelope
from crm_events.partitions import PARTITIONS
from crm_events.store.granted import IdentifiedEvent
from crm_events.store.port import EventRecorder
from crm_events.store.rows import EVENT_COLUMNS, STREAM_COLUMNS, Row, Values
from crm_events.store.threads import Correlated

_NO_END: Final = 2**31 - 1
_LAST: Final = 2**63 - 1


class LogQueries(EventRecorder):
    """Over two primitives of an adapter; placeholders are written `?`."""

    values: ClassVar[Values]

    @abstractmethod
    def rows(self, statement: str, *parameters: Any) -> list[Row]:
        """Raises StoreUnavailable."""

    @abstractmethod
    def among(self, values: Iterable[Any]) -> Iterator[tuple[str, list[Any]]]:
        """Conditions (`IN ...`) with their parameters that together cover the values."""

    def among_ids(self, ids: Iterable[UUID]) -> Iterator[tuple[str, list[Any]]]:
        return self.among(self.values.to_id(id_) for id_ in ids)

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        rows = self.rows(
            f"SELECT {STREAM_COLUMNS} FROM events "
            "WHERE aggregate_id = ? AND version > ? AND version <= ? "
            f"ORDER BY version {'DESC' if desc else 'ASC'} LIMIT ?",
            self.values.to_id(cast(UUID, originator_id)),
            gt or 0,
            _NO_END if lte is None else lte,
            _NO_END if limit is None else limit,
        )
        return [self.values.stored(row) for row in rows]

    def select_streams(self, ids: Iterable[UUID]) -> Mapping[UUID, Sequence[IdentifiedEvent]]:
        streams: dict[UUID, list[IdentifiedEvent]] = defaultdict(list)
        for condition, parameters in self.among_ids(ids):
            rows = self.rows(
                f"SELECT {STREAM_COLUMNS} FROM events WHERE aggregate_id {condition} "
                "ORDER BY aggregate_id, version",
                *parameters,
            )
            for row in rows:
                event = self.values.stored(row)
                streams[cast(UUID, event.originator_id)].append(event)
        return dict(streams)

    def read_stream(self, aggregate_id: UUID, after: int, limit: int) -> Sequence[Envelope]:
        rows = self.rows(
            f"SELECT {EVENT_COLUMNS} FROM events WHERE aggregate_id = ? AND version > ? "
            "ORDER BY version LIMIT ?",
            self.values.to_id(aggregate_id),
            after,
            limit,
        )
        return [self.values.envelope(row) for row in rows]

    def find_event(self, event_id: UUID) -> Envelope | None:
        rows = self.rows(
            f"SELECT {EVENT_COLUMNS} FROM events WHERE event_id = ?", self.values.to_id(event_id)
        )
        return self.values.envelope(rows[0]) if rows else None

    def read_correlation(self, wanted: Correlated, after: int, limit: int) -> Sequence[Envelope]:
        rows = [
            row
            for condition, parameters in self._narrowed(wanted)
            for row in self.rows(
                f"SELECT {EVENT_COLUMNS} FROM events "
                f"WHERE correlation_id = ? AND position > ? {condition} ORDER BY position LIMIT ?",
                self.values.to_id(wanted.correlation_id),
                after,
                *parameters,
                limit,
            )
        ]
        return [self.values.envelope(row) for row in sorted(rows, key=_position)[:limit]]

    def read_correlation_back(
        self, correlation_id: UUID, before: int | None, limit: int
    ) -> Sequence[Envelope]:
        rows = self.rows(
            f"SELECT {EVENT_COLUMNS} FROM events "
            "WHERE correlation_id = ? AND position < ? ORDER BY position DESC LIMIT ?",
            self.values.to_id(correlation_id),
            _LAST if before is None else before,
            limit,
        )
        return [self.values.envelope(row) for row in rows]

    def read_streams(self, ids: Iterable[UUID]) -> Mapping[UUID, Sequence[Envelope]]:
        streams: dict[UUID, list[Envelope]] = defaultdict(list)
        for condition, parameters in self.among_ids(ids):
            rows = self.rows(
                f"SELECT {EVENT_COLUMNS} FROM events WHERE aggregate_id {condition} "
                "ORDER BY aggregate_id, version",
                *parameters,
            )
            for row in rows:
                envelope = self.values.envelope(row)
                streams[envelope.aggregate_id].append(envelope)
        return dict(streams)

    def _narrowed(self, wanted: Correlated) -> Iterator[tuple[str, list[Any]]]:
        if wanted.command_id is not None:
            yield "AND command_id = ?", [self.values.to_id(wanted.command_id)]
        elif wanted.caused_by:
            for condition, ids in self.among_ids(wanted.caused_by):
                yield f"AND causation_id {condition}", ids
        else:
            yield "", []

    def streams_of(self, subject: UUID) -> Sequence[UUID]:
        own = self.values.to_id(subject)
        rows = self.rows(
            "SELECT aggregate_id FROM subject_streams WHERE subject = ? "
            "UNION SELECT aggregate_id FROM events WHERE aggregate_id = ? ORDER BY 1",
            own,
            own,
        )
        return [self.values.from_id(row[0]) for row in rows]

    def log_rows(
        self, after: int, upto: int, limit: int, condition: str = "", *more: Any
    ) -> list[Row]:
        return self.rows(
            f"SELECT {EVENT_COLUMNS} FROM events WHERE position > ? AND position <= ? {condition} "
            "ORDER BY position LIMIT ?",
            after,
            upto,
            *more,
            limit,
        )

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Never past a position that is still being written."""
        safe = self.safe_position()
        upto = safe if stop is None else min(stop, safe)
        after = 0 if start is None else start - int(inclusive_of_start)
        if not topics:
            rows = self.log_rows(after, upto, limit)
        else:
            rows = [
                row
                for condition, parameters in self.among(topics)
                for row in self.log_rows(after, upto, limit, f"AND type {condition}", *parameters)
            ]
        return [self.values.notification(row) for row in rows[:limit]]

    def max_notification_id(self) -> int | None:
        return self.safe_position() or None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Never:
        """The library's subscription misses events on start and on a lost connection."""
        raise NotImplementedError(f"Follow the log after {gt} of {topics} through crm_events.feed.")

    def last_in_partitions(self, upto: int) -> Mapping[int, int]:
        lasts = " UNION ALL ".join(
            f"SELECT {partition}, max(position) FROM events "
            f"WHERE partition = {partition} AND position <= ?"
            for partition in range(PARTITIONS)
        )
        rows = self.rows(lasts, *[upto] * PARTITIONS)
        return {row[0]: row[1] for row in rows if row[1] is not None}


def _position(row: Row) -> int:
    position: int = row[0]
    return position
