"""What is hashed of an event: its stored row, byte for byte, the same on every database.

An entry is one byte 0x10, the number of fields, and then each field of `FIELDS` in order: its
length as a signed 32-bit integer, -1 where there is no value, and its bytes. Numbers are signed and
big-endian; an instant is the number of microseconds since 2000-01-01T00:00:00Z; an id is its 16
bytes; text is UTF-8; `data` are the stored bytes, in which personal values are ciphertext.

The leaf hash of RFC 6962 is SHA-256 over 0x00 and the entry. Those are together the bytes of a row
as PostgreSQL's binary COPY sends it, and nothing has to be put together there.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final, NamedTuple
from uuid import UUID

from crm_events.sql.instants import from_micros

FIELDS: Final = (
    ("position", "number", 8),
    ("partition", "number", 2),
    ("version", "number", 4),
    ("recorded_at", "instant", 8),
    ("occurred_at", "instant", 8),
    ("event_id", "id", 16),
    ("aggregate_id", "id", 16),
    ("correlation_id", "id", 16),
    ("command_id", "id", 16),
    ("causation_id", "id", 16),
    ("supersedes", "id", 16),
    ("type", "text", None),
    ("actor", "text", None),
    ("origin", "text", None),
    ("traceparent", "text", None),
    ("data", "bytes", None),
)
"""Name, kind, and the number of bytes where it is always the same."""
COLUMNS: Final = ", ".join(name for name, _, _ in FIELDS)
EPOCH_MICROS: Final = 946_684_800_000_000
"""2000-01-01T00:00:00Z, in microseconds since 1970."""

_NOTHING: Final = b"\xff\xff\xff\xff"
_LENGTH: Final = struct.Struct(">i")
_FIXED: Final = struct.Struct(">BBiqihiiiqiqi16si16si16si16s")
_POSITION: Final = struct.Struct(">q")
_POSITION_AT: Final = 6
_MOST_TEXTS: Final = 10_000


class MalformedEntry(ValueError):
    """The bytes are no entry."""


class Leaf(NamedTuple):
    """A row of the log: its position, and 0x00 with its entry; None where no entry can be made of
    it, since a column holds what was never written there."""

    position: int
    hashed: bytes | None


class Rows(NamedTuple):
    """The same of many rows, in two lists."""

    positions: list[int]
    hashed: list[bytes | None]


def leaf_hash(hashed: bytes) -> bytes:
    return sha256(hashed).digest()


def position_in(hashed: bytes) -> int:
    """The position that 0x00 and an entry speak of."""
    position: int = _POSITION.unpack_from(hashed, _POSITION_AT)[0]
    return position


class _Texts(dict[str, bytes]):
    """Texts as fields; types and actors come again and again."""

    def __missing__(self, text: str) -> bytes:
        field = _field(text.encode())
        if len(self) < _MOST_TEXTS:
            self[text] = field
        return field


def _field(value: bytes) -> bytes:
    return _LENGTH.pack(len(value)) + value


def packer() -> Callable[[Sequence[Any]], bytes]:
    """Makes 0x00 and the entry of a row of `COLUMNS` whose ids are bytes and whose instants are
    microseconds since 1970. Raises TypeError, AttributeError or struct.error for what is none."""
    texts, fixed, join, length = _Texts(), _FIXED.pack, b"".join, _LENGTH.pack

    def pack(row: Sequence[Any]) -> bytes:
        (position, partition, version, recorded, occurred, id, aggregate, correlation, command,
         causation, supersedes, type, actor, origin, trace, data) = row  # fmt: skip
        numbers = fixed(
            0, 16, 8, position, 2, partition, 4, version,
            8, recorded - EPOCH_MICROS, 8, occurred - EPOCH_MICROS,
            len(id), id, len(aggregate), aggregate,
            len(correlation), correlation, len(command), command,
        )  # fmt: skip
        return join((
            numbers,
            _NOTHING if causation is None else length(len(causation)) + causation,
            _NOTHING if supersedes is None else length(len(supersedes)) + supersedes,
            texts[type], texts[actor], texts[origin],
            _NOTHING if trace is None else _field(trace.encode()),
            length(len(data)), data,
        ))  # fmt: skip

    return pack


def read_entry(entry: bytes) -> dict[str, Any]:
    """The fields of an entry by name. Raises MalformedEntry."""
    if entry[:1] != bytes([len(FIELDS)]):
        raise MalformedEntry("it does not begin with its number of fields")
    fields: dict[str, Any] = {}
    at = 1
    for name, kind, size in FIELDS:
        value, at = _read_field(entry, at)
        if value is not None and size not in (None, len(value)):
            raise MalformedEntry(f"{name} has {len(value)} bytes")
        fields[name] = None if value is None else _READ[kind](value)
    if at != len(entry):
        raise MalformedEntry("it goes on after its last field")
    return fields


def _read_field(entry: bytes, at: int) -> tuple[bytes | None, int]:
    try:
        (length,) = _LENGTH.unpack_from(entry, at)
    except struct.error:
        raise MalformedEntry("it ends too early") from None
    start, end = at + 4, at + 4 + max(length, 0)
    if length < -1 or end > len(entry):
        raise MalformedEntry("it ends too early")
    return (None if length < 0 else entry[start:end]), end


def _number(value: bytes) -> int:
    return int.from_bytes(value, "big", signed=True)


def _instant(value: bytes) -> datetime:
    try:
        return from_micros(EPOCH_MICROS) + timedelta(microseconds=_number(value))
    except OverflowError:
        raise MalformedEntry("a time is out of range") from None


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise MalformedEntry("a text is not UTF-8") from None


_READ: Final[dict[str, Callable[[bytes], Any]]] = {
    "number": _number,
    "instant": _instant,
    "id": lambda value: UUID(bytes=value),
    "text": _text,
    "bytes": lambda value: value,
}
