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
_SMALLINT: Final = struct.Struct(">h")
_INTEGER: Final = struct.Struct(">i")
_BIGINT: Final = struct.Struct(">q")
_MICROS_TO_2000: Final = 946_684_800_000_000


class PackedArray(bytes):
    """A one-dimensional array as it goes over the wire."""

    element: ClassVar[int]
    oid: ClassVar[int]

    @classmethod
    def of(cls, values: Iterable[Any]) -> PackedArray:
        encode = cls.encode
        return cls._packed([None if value is None else encode(value) for value in values])

    @staticmethod
    def encode(value: Any) -> bytes:
        raise NotImplementedError

    @classmethod
    def _packed(cls, elements: Sequence[bytes | None]) -> PackedArray:
        if not elements:
            return cls(_EMPTY.pack(0, 0, cls.element))
        nulls = int(None in elements)
        parts = [_HEADER.pack(1, nulls, cls.element, len(elements), 1)]
        for element in elements:
            if element is None:
                parts.append(_NULL)
            else:
                parts += (_LENGTH.pack(len(element)), element)
        return cls(b"".join(parts))


class Uuids(PackedArray):
    element, oid = 2950, 2951

    @staticmethod
    def encode(value: UUID) -> bytes:
        return value.bytes


class Texts(PackedArray):
    element, oid = 25, 1009

    @staticmethod
    def encode(value: str) -> bytes:
        return value.encode()


class Blobs(PackedArray):
    element, oid = 17, 1001

    @staticmethod
    def encode(value: bytes) -> bytes:
        return value


class Booleans(PackedArray):
    element, oid = 16, 1000

    @staticmethod
    def encode(value: bool) -> bytes:
        return b"\x01" if value else b"\x00"


class Smallints(PackedArray):
    element, oid = 21, 1005

    @staticmethod
    def encode(value: int) -> bytes:
        return _SMALLINT.pack(value)


class Integers(PackedArray):
    element, oid = 23, 1007

    @staticmethod
    def encode(value: int) -> bytes:
        return _INTEGER.pack(value)


class Bigints(PackedArray):
    element, oid = 20, 1016

    @staticmethod
    def encode(value: int) -> bytes:
        return _BIGINT.pack(value)


class Instants(PackedArray):
    element, oid = 1184, 1185

    @staticmethod
    def encode(value: datetime) -> bytes:
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
