"""The tree over a log once more, out of RFC 6962 and the words of docs/audit.md alone: nothing of
the product's own hashing is used here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from crm_events.envelope import Envelope

_START = datetime(2000, 1, 1, tzinfo=UTC)


def _bytes(value: UUID | datetime | str | bytes | None) -> bytes | None:
    if isinstance(value, datetime):
        micros = (value - _START) // timedelta(microseconds=1)
        return micros.to_bytes(8, "big", signed=True)
    if isinstance(value, UUID):
        return value.bytes
    return value.encode() if isinstance(value, str) else value


def leaf(e: Envelope) -> str:
    """The leaf hash of an event, in hexadecimal."""
    numbers = [(e.sequence, 8), (e.partition, 2), (e.aggregate_version, 4)]
    values: list[bytes | None] = [n.to_bytes(size, "big", signed=True) for n, size in numbers]
    values += [_bytes(e.recorded_at), _bytes(e.occurred_at), e.id.bytes, e.aggregate_id.bytes]
    values += [e.correlation_id.bytes, e.command_id.bytes]
    rest = (e.causation_id, e.supersedes, e.type, e.actor, e.origin, e.traceparent, e.data)
    values += [_bytes(each) for each in rest]
    fields = [
        b"\xff\xff\xff\xff" if value is None else len(value).to_bytes(4, "big") + value
        for value in values
    ]
    return sha256(b"\x00" + bytes([len(fields)]) + b"".join(fields)).hexdigest()


class Tree:
    """MTH of RFC 6962 over leaves; whole subtrees are computed once."""

    def __init__(self, leaves: Sequence[str]) -> None:
        self._leaves = [bytes.fromhex(each) for each in leaves]
        self._whole: dict[tuple[int, int], bytes] = {}

    def root(self, size: int) -> str:
        return self._hash(0, size).hex() if size else sha256(b"").hexdigest()

    def _hash(self, start: int, end: int) -> bytes:
        count = end - start
        if count == 1:
            return self._leaves[start]
        if (start, end) in self._whole:
            return self._whole[start, end]
        middle = start + (1 << (count - 1).bit_length() - 1)
        node = sha256(b"\x01" + self._hash(start, middle) + self._hash(middle, end)).digest()
        if count & (count - 1) == 0:
            self._whole[start, end] = node
        return node
