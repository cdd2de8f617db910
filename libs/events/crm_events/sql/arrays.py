"""Arrays in PostgreSQL's binary form: a dozen of them per save is where a driver's time went."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from types import NoneType
from typing import Any, ClassVar, Final
from uuid import UUID

from psycopg.adapt import AdaptersMap, Buffer, Dumper
from psycopg.pq import Format

from crm_events.sql.instants import to_micros

_HEADER: Final = struct.Struct(">iiIii")
_EMPTY: Final = struct.Struct(">iiI")
_LENGTH: Final = struct.Struct(">i")
_NULL: Final = _LENGTH.pack(-1)
_SIXTEEN: Final = _LENGTH.pack(16)
_ONE_NULL: Final = [None]
_MICROS_TO_2000: Final = 946_684_800_000_000


class PackedArray(bytes):
    """A one-dimensional array as it goes over the wire."""

    element: ClassVar[int]
    oid: ClassVar[int]

    @classmethod
    def of(cls, values: Iterable[Any]) -> PackedArray:
        given = list(values)
        if given == _ONE_NULL or not given:
            return cls._without_values(len(given))
        nulls = NoneType in map(type, given)  # `None in given` would compare ids in Python
        header = _HEADER.pack(1, int(nulls), cls.element, len(given), 1)
        return cls(header + (cls._some(given) if nulls else cls._all(given)))

    @classmethod
    @cache
    def _without_values(cls, size: int) -> PackedArray:
        """Nothing, or one NULL: most arrays of a save of one event are one of them."""
        if size == 0:
            return cls(_EMPTY.pack(0, 0, cls.element))
        return cls(_HEADER.pack(1, 1, cls.element, 1, 1) + _NULL)

    @classmethod
    def _all(cls, values: Sequence[Any]) -> bytes:
        """Elements none of which is None, each behind its length."""
        raise NotImplementedError

    @classmethod
    def _some(cls, values: Sequence[Any]) -> bytes:
        """Elements some of which are None."""
        raise NotImplementedError


class _OfOneSize(PackedArray):
    @classmethod
    def _some(cls, values: Sequence[Any]) -> bytes:
        present = [value for value in values if value is not None]
        packed = cls._all(present)
        size = len(packed) // (len(present) or 1)
        starts = iter(range(0, len(packed), size or 1))
        return b"".join(
            [_NULL if v is None else packed[(at := next(starts)) : at + size] for v in values]
        )


class Uuids(_OfOneSize):
    element, oid = 2950, 2951

    @classmethod
    def _all(cls, values: Sequence[UUID]) -> bytes:
        if not values:
            return b""
        return _SIXTEEN + _SIXTEEN.join([value.int.to_bytes(16) for value in values])


class Texts(PackedArray):
    element, oid = 25, 1009

    @classmethod
    def _all(cls, values: Sequence[str | None]) -> bytes:
        """What stands in a column often is encoded once."""
        return b"".join(map(_Lengthened().__getitem__, values))

    _some = _all


class _Lengthened(dict[str | None, bytes]):
    def __missing__(self, text: str | None) -> bytes:
        if text is None:
            return _NULL
        encoded = text.encode()
        found = self[text] = _LENGTH.pack(len(encoded)) + encoded
        return found


class Blobs(PackedArray):
    element, oid = 17, 1001

    @classmethod
    def _all(cls, values: Sequence[bytes]) -> bytes:
        pack = _LENGTH.pack
        return b"".join([pack(len(value)) + value for value in values])

    @classmethod
    def _some(cls, values: Sequence[bytes | None]) -> bytes:
        pack = _LENGTH.pack
        return b"".join([_NULL if v is None else pack(len(v)) + v for v in values])


class _Numbers(_OfOneSize):
    size: ClassVar[int]
    code: ClassVar[str]
    """As `struct` names the type."""

    @classmethod
    def _all(cls, values: Sequence[Any]) -> bytes:
        """One call for all, with the size before each."""
        flat = [cls.size] * (2 * len(values))
        flat[1::2] = values
        return struct.pack(f">{f'i{cls.code}' * len(values)}", *flat)


class Booleans(_Numbers):
    element, oid, size, code = 16, 1000, 1, "?"


class Smallints(_Numbers):
    element, oid, size, code = 21, 1005, 2, "h"


class Integers(_Numbers):
    element, oid, size, code = 23, 1007, 4, "i"


class Bigints(_Numbers):
    element, oid, size, code = 20, 1016, 8, "q"


class Instants(Bigints):
    element, oid = 1184, 1185

    @classmethod
    def _all(cls, values: Sequence[datetime]) -> bytes:
        return super()._all([to_micros(value) - _MICROS_TO_2000 for value in values])


class _Packed(Dumper):
    format = Format.BINARY

    def dump(self, obj: PackedArray) -> Buffer:
        return obj


def register(adapters: AdaptersMap) -> None:
    """Makes the classes above known to a connection."""
    for kind in (Uuids, Texts, Blobs, Booleans, Smallints, Integers, Bigints, Instants):
        dumper = type(f"{kind.__name__}Dumper", (_Packed,), {"oid": kind.oid})
        adapters.register_dumper(kind, dumper)
