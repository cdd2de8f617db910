"""The sealed rows as they are read back in order: leaf hashes out of tiles, and checkpoints."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from crm_events.audit.finding import Tampered, wrong
from crm_events.audit.log import POSITION_BYTES, AuditLog, Signed, Tile
from crm_events.audit.tree import HASH_BYTES, NO_ROOTS, TILE, chunks, packed_root

_NOTES: Final = 1_000
_FIRST: Final = slice(None, POSITION_BYTES)
_LAST: Final = slice(-POSITION_BYTES, None)


class Leaves(NamedTuple):
    """Positions and leaf hashes, in order; and the roots over whole tiles, by their numbers."""

    positions: list[int]
    hashes: list[bytes]
    roots: Mapping[int, bytes] = NO_ROOTS

    def upto(self, count: int) -> Leaves:
        return Leaves(self.positions[:count], self.hashes[:count], self.roots)

    def differs_at(self, other: Leaves) -> int:
        """The first index at which one has what the other has not; their length where none."""
        if self[:2] == other[:2]:
            return len(self.positions)
        pairs = zip(self.positions, self.hashes, other.positions, other.hashes, strict=False)
        for index, (position, digest, other_position, other_hash) in enumerate(pairs):
            if position != other_position or digest != other_hash:
                return index
        return min(len(self.hashes), len(other.hashes))


def sealed_leaves(log: AuditLog, first: int, count: int) -> Leaves:
    """Leaves from an index on as they were sealed; fewer where there are no more, or where a tile
    is not whole. Raises Tampered where a tile is not what it says."""
    positions, hashes, roots = list[int](), list[bytes](), dict[int, bytes]()
    begin, end = first // TILE, -(-(first + count) // TILE)
    for number, tile in enumerate(log.tiles(begin, end - begin), begin):
        if tile.number != number or tile.width * POSITION_BYTES != len(tile.positions):
            break
        _look_at(tile)
        positions += struct.unpack(f">{tile.width}q", tile.positions)
        hashes += chunks(tile.hashes)
        if tile.root is None:
            break
        roots[number] = tile.root
    here = slice(first - begin * TILE, first - begin * TILE + count)
    return Leaves(positions[here], hashes[here], roots)


def _look_at(tile: Tile) -> None:
    whole = tile.width == TILE and len(tile.hashes) % HASH_BYTES == 0
    if tile.root != (packed_root(tile.hashes) if whole else None):
        first, last = (_number(tile.positions[at]) for at in (_FIRST, _LAST))
        raise Tampered(wrong("sealed", first, f"tile {tile.number} was changed", last))


def _number(packed: bytes) -> int:
    return int.from_bytes(packed, "big")


class Notes:
    """Checkpoints in the order of their numbers; `next` is the one that has not been passed."""

    def __init__(self, log: AuditLog, passed: int) -> None:
        self.passed = passed
        self._found = _signed(log, passed)
        self.next = next(self._found, None)

    def go_on(self) -> None:
        self.passed += 1
        self.next = next(self._found, None)


def _signed(log: AuditLog, after: int) -> Iterator[Signed]:
    while page := log.signed(after, _NOTES):
        yield from page
        after = page[-1].number
