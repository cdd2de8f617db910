"""What is known about an event beside its data, and its form on Kafka (CloudEvents, binary)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, Literal, cast, get_args
from uuid import UUID

import orjson

from crm_events.catalogue import context_of

Origin = Literal["live", "import"]
Headers = list[tuple[str, bytes]]
_ORIGINS: Final = get_args(Origin)
Known = tuple[UUID, str, UUID, int, int, int, datetime, UUID | None, bytes]
"""Id, type, aggregate's id and version, sequence, partition, effective instant, the event that it
supersedes, and data."""
Rest = tuple[datetime, UUID, UUID | None, UUID, str, Origin, str | None]
_RESTING: Final = (
    "recorded_at", "correlation_id", "causation_id", "command_id", "actor", "origin", "traceparent",
)  # fmt: skip
_blank, _set = object.__new__, object.__setattr__

WATERMARK: Final = "crm.watermark.v1"
"""Type of the control record that says: everything of its partition up to its sequence has been
published."""


class _Late:
    """What few ask for of an event is made when it is asked for, all of it at once."""

    __slots__ = ("_rest",)
    _rest: Callable[[], Rest]

    def __getattr__(self, name: str) -> Any:
        """Asked for what is not there yet."""
        if name not in _RESTING:
            raise AttributeError(name)
        for field, value in zip(_RESTING, self._rest(), strict=True):
            _set(self, field, value)
        return object.__getattribute__(self, name)


@dataclass(frozen=True, slots=True)
class Envelope(_Late):
    """One stored event. `recorded_at` is the database's clock, `occurred_at` the effective time.

    `sequence` is the position in the context's log; `prevsequence` that of the event before it in
    the same partition (0 for the first), known to whoever reads the log in order.
    """

    id: UUID
    type: str
    aggregate_id: UUID
    aggregate_version: int
    sequence: int
    partition: int
    recorded_at: datetime
    occurred_at: datetime
    correlation_id: UUID
    causation_id: UUID | None
    command_id: UUID
    actor: str
    origin: Origin
    supersedes: UUID | None
    traceparent: str | None
    data: bytes
    prevsequence: int = 0

    @property
    def context(self) -> str:
        return context_of(self.type)


def stored(known: Known, rest: Callable[[], Rest]) -> Envelope:
    """An event that was read from the log.

    A view hardly asks for what `rest` tells, and to make it was half of what an envelope took.
    """
    id, type, aggregate_id, version, sequence, partition, occurred_at, supersedes, data = known
    found = _blank(Envelope)
    _set(found, "id", id)
    _set(found, "type", type)
    _set(found, "aggregate_id", aggregate_id)
    _set(found, "aggregate_version", version)
    _set(found, "sequence", sequence)
    _set(found, "partition", partition)
    _set(found, "occurred_at", occurred_at)
    _set(found, "supersedes", supersedes)
    _set(found, "data", data)
    _set(found, "prevsequence", 0)
    _set(found, "_rest", rest)
    return found


def link(envelope: Envelope, previous: int) -> None:
    """Tell an envelope that was just read from the log what comes before it in its partition.

    In place: a copy takes as long as decoding the event, and nobody else holds it yet.
    """
    _set(envelope, "prevsequence", previous)


_SPECVERSION: Final = ("ce_specversion", b"1.0")
_CONTENT_TYPE: Final = ("content-type", b"application/json")


@lru_cache(maxsize=4_096)
def _of_type(type: str) -> tuple[tuple[str, bytes], ...]:
    """What all events of a type have in common: source, type and schema."""
    return (
        ("ce_source", f"/crm/{context_of(type)}".encode()),
        ("ce_type", type.encode()),
        ("ce_dataschema", f"/schemas/{type}.json".encode()),
    )


def to_headers(envelope: Envelope, prevsequence: int | None = None) -> Headers:
    """The CloudEvents attributes as Kafka headers; the record's value is `envelope.data`.

    A `prevsequence` that is given stands for the envelope's own.
    """
    source, type, schema = _of_type(envelope.type)
    previous = envelope.prevsequence if prevsequence is None else prevsequence
    id, subject, recorded, occurred, correlation, command, *more = _texts(envelope)
    headers = [
        _SPECVERSION,
        ("ce_id", id),
        source,
        type,
        ("ce_subject", subject),
        ("ce_time", recorded),
        schema,
        ("ce_occurredat", occurred),
        ("ce_sequence", b"%d" % envelope.sequence),
        ("ce_prevsequence", b"%d" % previous),
        ("ce_aggregateversion", b"%d" % envelope.aggregate_version),
        ("ce_correlationid", correlation),
        ("ce_commandid", command),
        ("ce_actor", envelope.actor.encode()),
        ("ce_origin", envelope.origin.encode()),
    ]
    if envelope.causation_id is not None:
        headers.append(("ce_causationid", more[0]))
    if envelope.supersedes is not None:
        headers.append(("ce_supersedes", more[-1]))
    if envelope.traceparent is not None:
        headers.append(("ce_traceparent", envelope.traceparent.encode()))
    headers.append(_CONTENT_TYPE)
    return headers


def _texts(envelope: Envelope) -> list[bytes]:
    """Ids and instants as text, written by one call: eight of Python's own take six times as long.

    None of them holds a quotation mark.
    """
    values = [
        envelope.id,
        envelope.aggregate_id,
        envelope.recorded_at,
        envelope.occurred_at,
        envelope.correlation_id,
        envelope.command_id,
    ]
    values += [id for id in (envelope.causation_id, envelope.supersedes) if id is not None]
    return orjson.dumps(values)[2:-2].split(b'","')


class MalformedEnvelope(Exception):
    """A record on an events topic lacks an attribute or carries one that cannot be read."""


def from_headers(
    headers: Iterable[tuple[str, bytes | None]], partition: int, data: bytes
) -> Envelope:
    """The reverse of `to_headers`. Raises MalformedEnvelope."""
    try:
        found = {name: value.decode() for name, value in headers if value is not None}
        return _envelope(found, partition, data)
    except (KeyError, ValueError) as error:
        raise MalformedEnvelope(f"{type(error).__name__}: {error}") from error


def _envelope(found: Mapping[str, str], partition: int, data: bytes) -> Envelope:
    causation_id, supersedes = found.get("ce_causationid"), found.get("ce_supersedes")
    return Envelope(
        id=UUID(found["ce_id"]),
        type=found["ce_type"],
        aggregate_id=UUID(found["ce_subject"]),
        aggregate_version=int(found["ce_aggregateversion"]),
        sequence=int(found["ce_sequence"]),
        partition=partition,
        recorded_at=_instant(found["ce_time"]),
        occurred_at=_instant(found["ce_occurredat"]),
        correlation_id=UUID(found["ce_correlationid"]),
        causation_id=None if causation_id is None else UUID(causation_id),
        command_id=UUID(found["ce_commandid"]),
        actor=found["ce_actor"],
        origin=_origin(found["ce_origin"]),
        supersedes=None if supersedes is None else UUID(supersedes),
        traceparent=found.get("ce_traceparent"),
        data=data,
        prevsequence=int(found["ce_prevsequence"]),
    )


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no zone")
    return instant if instant.tzinfo is UTC else instant.astimezone(UTC)


def _origin(text: str) -> Origin:
    if text not in _ORIGINS:
        raise ValueError(f"{text!r} is no origin")
    return cast(Origin, text)
