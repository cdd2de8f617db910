"""What records of one lane say: events, watermarks, and whether the topic is still the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import structlog
from aiokafka.structs import ConsumerRecord

from crm_events.envelope import WATERMARK, Envelope, MalformedEnvelope, from_headers
from crm_events.feed.port import Lane, LaneBatch, LanePosition, LogReplaced, Unreadable
from crm_events.partitions import partition_of

_log = structlog.get_logger("crm.feed")
_WATERMARK: Final = WATERMARK.encode()


@dataclass(slots=True)
class Reading:
    """Where the reading of one lane is. All of it is in memory, and made anew from SQL."""

    lane: Lane
    position: LanePosition
    next_offset: int | None
    """Of the record that is expected next; None where any may be the first."""
    verify: bool
    """The next record is the last one taken, read again to see that the topic still holds it."""
    complete_to: int
    last: int
    """The sequence of the last event read without a gap before it."""
    looking_for: UUID | None = None
    """The last event taken, in a topic that was filled again: it has to come by."""
    missed: bool = False
    """A watermark named an event that has not come by: the topic is another one, and holds it at an
    offset that lies behind."""
    heard: bool = True
    """Whether anything has come since that was asked last."""
    doubted: int | None = None
    """The offset of that watermark. One that is met again, reading from the start, was published
    too early, before its publisher found that the topic was wiped."""


def begin(lane: Lane, position: LanePosition) -> Reading:
    """Reading on from a stored position, one record early."""
    offset = position.offset or 0
    return Reading(
        lane, position, max(offset - 1, 0), offset > 0, position.complete_to, position.sequence
    )


def begin_again(reading: Reading) -> None:
    """The topic is another one than the position is of: read all of it, repeats are dropped."""
    reading.next_offset, reading.verify, reading.missed = None, False, False
    reading.last = reading.position.sequence
    reading.complete_to = reading.position.complete_to
    reading.looking_for = reading.position.event_id


def same_topic(reading: Reading, first: ConsumerRecord) -> bool:
    """Whether the records go on where the last ones ended, in the topic they were read from."""
    if reading.next_offset is None:
        return True
    if first.offset != reading.next_offset:
        return False
    return not reading.verify or _taken_before(first, reading.position)


def _taken_before(record: ConsumerRecord, position: LanePosition) -> bool:
    """Whether the record before the stored offset is one that was read there. What lies before a
    record that was seen was seen too, so it need not be the last event: relays repeat."""
    watermark = watermark_of(record)
    if watermark is not None:
        return watermark <= position.complete_to
    sequence = _number(record, "ce_sequence")
    if sequence is None:
        return True  # unreadable then as now
    if sequence == position.sequence and position.event_id is not None:
        return header(record, "ce_id") == str(position.event_id).encode()
    return sequence <= position.complete_to


@dataclass(slots=True)
class _Read:
    envelopes: list[Envelope] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)


def read_records(reading: Reading, records: Sequence[ConsumerRecord]) -> LaneBatch | None:
    """What these records are to a consumer; moves the reading past them. Raises LogReplaced."""
    next_offset, reading.heard = records[-1].offset + 1, True
    if reading.verify:
        reading.verify, records = False, records[1:]
    read = _Read()
    for record in records:
        _read_one(reading, record, read)
    reading.next_offset = next_offset
    if not records:
        return None
    return LaneBatch(
        reading.lane,
        read.envelopes,
        next_offset,
        reading.complete_to,
        read.unreadable,
        read.offsets,
    )


def _read_one(reading: Reading, record: ConsumerRecord, read: _Read) -> None:
    watermark = watermark_of(record)
    if watermark is not None:
        _hear(reading, record, watermark)
        return
    try:
        envelope = _envelope(reading.lane, record)
    except MalformedEnvelope as error:
        _follow(reading, record)
        read.unreadable.append(_unreadable(reading.lane, record, str(error)))
        return
    if _strayed(reading, envelope):
        context, partition = reading.lane
        _log.error("record_strayed", context=context, partition=partition, offset=record.offset)
        return
    _follow(reading, record)
    if reading.looking_for is not None:
        _look_at(reading, envelope)
    read.envelopes.append(envelope)
    read.offsets.append(record.offset)


def _strayed(reading: Reading, envelope: Envelope) -> bool:
    """Whether an event of another partition was put into this one, where it would be taken for
    what lies ahead of a gap, for ever.

    Who names the last event read as its predecessor is of this partition, for no event has two;
    only what names another, or none, has to be asked.
    """
    if envelope.sequence <= reading.last or 0 < envelope.prevsequence == reading.last:
        return False
    return partition_of(envelope.aggregate_id) != reading.lane.partition


def _hear(reading: Reading, record: ConsumerRecord, watermark: int) -> None:
    """A watermark holds for whoever has read the event that it names."""
    if (_number(record, "ce_prevsequence") or 0) <= reading.last:
        reading.complete_to = max(reading.complete_to, watermark)
    elif record.offset != reading.doubted:
        reading.missed, reading.doubted = True, record.offset


def _follow(reading: Reading, record: ConsumerRecord) -> None:
    before, sequence = _number(record, "ce_prevsequence"), _number(record, "ce_sequence")
    if before is not None and sequence is not None and before <= reading.last:
        reading.last = max(reading.last, sequence)


def _envelope(lane: Lane, record: ConsumerRecord) -> Envelope:
    if record.value is None:
        raise MalformedEnvelope("the record has no value")
    return from_headers(record.headers, lane.partition, record.value)


def _look_at(reading: Reading, envelope: Envelope) -> None:
    """The chain of predecessors tells whether the event that is looked for is on the topic."""
    last = reading.position.sequence
    if envelope.sequence == last:
        gone = envelope.id != reading.looking_for
    elif envelope.sequence > last:
        gone = envelope.prevsequence < last
    else:
        return
    if gone:
        context, partition = reading.lane
        raise LogReplaced(
            f"The topic of {context} was filled again without event {last} of partition "
            f"{partition} as it was taken: the store was restored to an earlier state."
        )
    reading.looking_for = None


def _unreadable(lane: Lane, record: ConsumerRecord, reason: str) -> Unreadable:
    headers = [(name, value or b"") for name, value in record.headers]
    return Unreadable(lane, record.offset, record.key, headers, record.value, reason)


def header(record: ConsumerRecord, name: str) -> bytes | None:
    """The first header of that name."""
    value: bytes | None = next((v for key, v in record.headers if key == name), None)
    return value


def _number(record: ConsumerRecord, name: str) -> int | None:
    value = header(record, name)
    return int(value) if value is not None and value.isdigit() else None


def watermark_of(record: ConsumerRecord) -> int | None:
    """The sequence of a watermark; None for every other record."""
    if header(record, "ce_type") != _WATERMARK:
        return None
    return _number(record, "ce_sequence")


def read_all(
    pairs: Sequence[tuple[Reading, Sequence[ConsumerRecord]]],
) -> list[tuple[Reading, LaneBatch | None]]:
    """The batches of several lanes, each beside its reading."""
    return [(reading, read_records(reading, records)) for reading, records in pairs]
