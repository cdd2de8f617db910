"""A dead letter: one event that was not applied, with its bytes and headers as they came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

import orjson
from crm_events.envelope import Envelope, from_headers, to_headers
from crm_events.feed.port import Lane, Unreadable

from crm_projections.engine.admission import Broken
from crm_projections.engine.position import Generation

Kind = Literal["failed", "behind", "unreadable"]
Status = Literal["parked", "applied", "skipped"]


@dataclass(frozen=True, slots=True)
class Letter:
    """An event to be parked; `reason` says what failed, in words fit for a log."""

    lane: Lane
    record: Envelope | Broken | Unreadable
    kind: Kind
    reason: str

    @property
    def aggregate_id(self) -> UUID | None:
        return None if isinstance(self.record, Unreadable) else self.record.aggregate_id

    @property
    def stray_offset(self) -> int | None:
        return self.record.offset if isinstance(self.record, Unreadable) else None


@dataclass(frozen=True, slots=True)
class Parked:
    """A dead letter as it is stored. `decision` is why it was skipped, where it was."""

    id: int
    generation: Generation
    lane: Lane
    sequence: int | None
    aggregate_id: UUID | None
    event_id: UUID | None
    type: str | None
    kind: Kind
    reason: str
    attempts: int
    status: Status
    parked_at: int
    decided_at: int | None
    decided_by: str | None
    decision: str | None
    headers: Sequence[tuple[str, bytes]]
    data: bytes | None

    @property
    def envelope(self) -> Envelope:
        """The record as an event again. Raises MalformedEnvelope."""
        return from_headers(self.headers, self.lane.partition, self.data or b"")


COLUMNS: Final = (
    "view", "generation", "context", "partition", "kind", "reason", "attempts", "seen", "status",
    "parked_at", "sequence", "aggregate_id", "event_id", "type", "record_offset", "record_key",
    "headers", "data",
)  # fmt: skip
"""What `row_of` tells."""


def row_of(generation: Generation, letter: Letter, seen: int, now: int) -> tuple[Any, ...]:
    lane, attempts = letter.lane, 0 if letter.kind == "behind" else 1
    return (
        *(generation.view, generation.number, lane.context, lane.partition),
        *(letter.kind, letter.reason, attempts, seen, "parked", now),
        *_place_of(letter.record),
        letter.stray_offset,
        *_bytes_of(letter.record),
    )


def _place_of(record: Envelope | Broken | Unreadable) -> tuple[Any, ...]:
    if isinstance(record, Unreadable):
        return (None, None, None, None)
    return (record.sequence, record.aggregate_id, record.id, record.type)


def _bytes_of(record: Envelope | Broken | Unreadable) -> tuple[Any, ...]:
    if isinstance(record, Envelope):
        key = str(record.aggregate_id).encode()
        return (key, _headers_text(to_headers(record)), record.data)
    came = record.record if isinstance(record, Broken) else record
    return (came.key, _headers_text(came.headers), came.value)


def _headers_text(headers: Sequence[tuple[str, bytes]]) -> str:
    """Latin-1 keeps every byte, whatever a damaged header holds."""
    return orjson.dumps([[name, value.decode("latin-1")] for name, value in headers]).decode()


def parked_of(row: Any) -> Parked:
    headers = [(name, value.encode("latin-1")) for name, value in orjson.loads(row.headers)]
    named = row._asdict()
    same = {name: named[name] for name in _SAME_NAMES}
    lane = Lane(row.context, row.partition)
    return Parked(
        generation=Generation(row.view, row.generation), lane=lane, headers=headers, **same
    )


_SAME_NAMES: Final = (
    "id", "sequence", "aggregate_id", "event_id", "type", "kind", "reason", "attempts", "status",
    "parked_at", "decided_at", "decided_by", "decision", "data",
)  # fmt: skip
