"""Arrays in PostgreSQL's binary form: a dozen of them per save is where a driver's time went."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final
from uuid import UUID

from psycopg.adapt import AdaptersMap, Buffer, Dumper
from psycopg.pq import Format

from crm_events.sql.instants import to_micros

_HEADER: Final = struct.Struct(">iiIii")
_EMPTY: Final = struct.Struct(">iiI")
_LENGTH: Final = struct.Struct(">i")
_NULL: Final = _LENGTH.pack(-1)
_BIGINT: Final = struct.Struct(">q")
_MICROS_TO_2000: Final = 946_684_800_000_000


class PackedArray(bytes):
    """A one-dimensional array as it goes over the wire."""

    element: ClassVar[int]
    oid: ClassVar[int]
    length: ClassVar[bytes | None] = None
    """What stands before every element, where all are of one size."""

    @classmethod
    def of(cls, values: Iterable[Any]) -> PackedArray:
        encode = cls.encode
        return cls._packed([None if value is None else encode(value) for value in values])

    @staticmethod
    def encode(value: Any, /) -> bytes:
        raise NotImplementedError

    @classmethod
    def _packed(cls, elements: Sequence[bytes | None]) -> PackedArray:
        if not elements:
            return cls(_EMPTY.pack(0, 0, cls.element))
        nulls = None in elements
        header = _HEADER.pack(1, int(nulls), cls.element, len(elements), 1)
        if cls.length is not None and not nulls:
            return cls(header + cls.length + cls.length.join(elements))  # type: ignore[arg-type]
        pack = _LENGTH.pack
        parts = [_NULL if each is None else pack(len(each)) + each for each in elements]
        return cls(header + b"".join(parts))


class Uuids(PackedArray):
    element, oid, length = 2950, 2951, _LENGTH.pack(16)

    @staticmethod
    def encode(value: UUID, /) -> bytes:
        return value.int.to_bytes(16)


class Texts(PackedArray):
    element, oid = 25, 1009
    encode = staticmethod(str.encode)


class Blobs(PackedArray):
    element, oid = 17, 1001

    @staticmethod
    def encode(value: bytes, /) -> bytes:
        return value


class Booleans(PackedArray):
    element, oid, length = 16, 1000, _LENGTH.pack(1)
    encode = staticmethod(struct.Struct("?").pack)


class Smallints(PackedArray):
    element, oid, length = 21, 1005, _LENGTH.pack(2)
    encode = staticmethod(struct.Struct(">h").pack)


class Integers(PackedArray):
    element, oid, length = 23, 1007, _LENGTH.pack(4)
    encode = staticmethod(struct.Struct(">i").pack)


class Bigints(PackedArray):
    element, oid, length = 20, 1016, _LENGTH.pack(8)
    encode = staticmethod(struct.Struct(">q").pack)


class Instants(PackedArray):
    element, oid, length = 1184, 1185, _LENGTH.pack(8)

    @staticmethod
    def encode(value: datetime, /) -> bytes:
        return _BIGINT.pack(to_micros(value) - _MICROS_TO_2000)


class _Packed(Dumper):
    format = Format.BINARY

    def dump(self, obj: PackedArray) -> Buffer:
        return obj


def register(adapters: AdaptersMap) -> None:
    """Makes the classes above known to a connection."""
    for kind in (Uuids, Texts, Blobs, Booleans, Smallints, Integers, Bigints, Instants):
        dumper = type(f"{kind.__name__}Dumper", (_Packed,), {"oid": kind.oid})
        adapters.register_dumper(kind, dumper)
