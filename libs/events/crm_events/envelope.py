"""What is known about an event beside its data, and its form on Kafka (CloudEvents, binary mode)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, cast
from uuid import UUID

from crm_events.catalogue import context_of

Origin = Literal["live", "import"]
Headers = list[tuple[str, bytes]]

WATERMARK: Final = "crm.watermark.v1"
"""Type of the control record that says: everything up to its sequence has been published."""


@dataclass(frozen=True, slots=True)
class Envelope:
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


def to_headers(envelope: Envelope) -> Headers:
    """The CloudEvents attributes as Kafka headers; the record's value is `envelope.data`."""
    required = {
        "specversion": "1.0",
        "id": str(envelope.id),
        "source": f"/crm/{envelope.context}",
        "type": envelope.type,
        "subject": str(envelope.aggregate_id),
        "time": envelope.recorded_at.isoformat(),
        "dataschema": f"/schemas/{envelope.type}.json",
        "occurredat": envelope.occurred_at.isoformat(),
        "sequence": str(envelope.sequence),
        "prevsequence": str(envelope.prevsequence),
        "aggregateversion": str(envelope.aggregate_version),
        "correlationid": str(envelope.correlation_id),
        "commandid": str(envelope.command_id),
        "actor": envelope.actor,
        "origin": envelope.origin,
    }
    optional = {
        "causationid": envelope.causation_id,
        "supersedes": envelope.supersedes,
        "traceparent": envelope.traceparent,
    }
    present = {name: str(value) for name, value in optional.items() if value is not None}
    headers = [(f"ce_{name}", value.encode()) for name, value in (required | present).items()]
    return [*headers, ("content-type", b"application/json")]


def _uuid_or_none(attributes: Mapping[str, str], name: str) -> UUID | None:
    return UUID(attributes[name]) if name in attributes else None


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


class MalformedEnvelope(Exception):
    """A record on an events topic lacks an attribute or carries one that cannot be read."""


def from_headers(headers: Iterable[tuple[str, bytes]], partition: int, data: bytes) -> Envelope:
    """The reverse of `to_headers`. Raises MalformedEnvelope."""
    try:
        attributes = {
            name[3:]: value.decode() for name, value in headers if name.startswith("ce_")
        }
        return _envelope(attributes, partition, data)
    except (KeyError, ValueError, UnicodeDecodeError) as error:
        raise MalformedEnvelope(f"{type(error).__name__}: {error}") from error


def _envelope(attributes: Mapping[str, str], partition: int, data: bytes) -> Envelope:
    return Envelope(
        id=UUID(attributes["id"]),
        type=attributes["type"],
        aggregate_id=UUID(attributes["subject"]),
        aggregate_version=int(attributes["aggregateversion"]),
        sequence=int(attributes["sequence"]),
        partition=partition,
        recorded_at=_instant(attributes["time"]),
        occurred_at=_instant(attributes["occurredat"]),
        correlation_id=UUID(attributes["correlationid"]),
        causation_id=_uuid_or_none(attributes, "causationid"),
        command_id=UUID(attributes["commandid"]),
        actor=attributes["actor"],
        origin=cast(Origin, attributes["origin"]),
        supersedes=_uuid_or_none(attributes, "supersedes"),
        traceparent=attributes.get("traceparent"),
        data=data,
        prevsequence=int(attributes["prevsequence"]),
    )
