"""A sum over event ids that proves a view took exactly the events that the store holds.

Additive modulo 2**128 over a hash of each id: order does not matter, and unlike with XOR an event
taken twice shows. At the same position the sums of a view's lane and of the store's are equal.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final
from uuid import UUID

_MODULUS: Final = 1 << 128


def digest_of(ids: Iterable[UUID], start: int = 0) -> int:
    """The sum over these ids, added to `start`."""
    digests = [blake2b(id.int.to_bytes(16), digest_size=16).digest() for id in ids]
    return sum(map(int.from_bytes, digests), start) % _MODULUS


def to_text(digest: int) -> str:
    """32 hexadecimal digits, as the position row keeps it."""
    return f"{digest:032x}"


def from_text(text: str) -> int:
    return int(text, 16)
