"""The Merkle tree of RFC 6962, grown leaf by leaf and remembered by its peaks alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Final

HASH_BYTES: Final = 32
TILE: Final = 256
"""How many leaf hashes are kept in one row, as in C2SP's tiles."""
EMPTY_ROOT: Final = sha256(b"").digest()
NO_ROOTS: Final[Mapping[int, bytes]] = {}
_TILE_HEIGHT: Final = TILE.bit_length() - 1

Subtree = Callable[[int, int], bytes]
"""The hash of the leaves from one index up to another, which make a whole subtree."""


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """The root over a power of two of hashes."""
    level = list(hashes)
    while len(level) > 1:
        ones = iter(level)
        level = [sha256(b"\x01" + left + right).digest() for left, right in zip(ones, ones)]  # noqa: B905 (an even number)
    return level[0]


def packed_root(hashes: bytes) -> bytes:
    """The same over hashes that were joined, two of them or more."""
    pairs = range(0, len(hashes), 2 * HASH_BYTES)
    return perfect_root(
        [sha256(b"\x01" + hashes[at : at + 2 * HASH_BYTES]).digest() for at in pairs]
    )


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over any number of leaf hashes."""
    return Peaks().extended(hashes).root()


class Peaks:
    """A tree of `size` leaves by the roots of its whole subtrees, from the left, the largest first;
    their heights are the bits of its size."""

    __slots__ = ("_hashes", "size")

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        """Raises ValueError where so many hashes are no peaks of such a tree."""
        if size < 0 or len(hashes) != size.bit_count():
            raise ValueError(f"{len(hashes)} hashes are no peaks of a tree of {size}")
        self.size = size
        self._hashes = list(hashes)

    @property
    def hashes(self) -> tuple[bytes, ...]:
        return tuple(self._hashes)

    def extended(self, hashes: Sequence[bytes], roots: Mapping[int, bytes] = NO_ROOTS) -> Peaks:
        """Itself, with more leaves to the right; `roots` are those known over whole tiles of them,
        by the tiles' numbers."""
        at, count = 0, len(hashes)
        while at < count:
            if self.size % TILE == 0 and count - at >= TILE:
                known = roots.get(self.size // TILE)
                self._push(known or perfect_root(hashes[at : at + TILE]), _TILE_HEIGHT)
                at += TILE
            else:
                self._push(hashes[at], 0)
                at += 1
        return self

    def extended_by_tile(self, root: bytes) -> None:
        """With the root of a whole tile to the right; only where a tile begins."""
        self._push(root, _TILE_HEIGHT)

    def _push(self, node: bytes, height: int) -> None:
        rest = self.size >> height
        while rest & 1:
            node = node_hash(self._hashes.pop(), node)
            rest >>= 1
        self._hashes.append(node)
        self.size += 1 << height

    def root(self) -> bytes:
        if not self._hashes:
            return EMPTY_ROOT
        node = self._hashes[-1]
        for left in reversed(self._hashes[:-1]):
            node = node_hash(left, node)
        return node

    def copy(self) -> Peaks:
        return Peaks(self.size, self._hashes)


def split(size: int) -> int:
    """The largest power of two below a size of two or more."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_path(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """The hashes that lead from leaf `index` to the root of a tree of `size` (RFC 6962, 2.1.1)."""
    start, end, path = 0, size, list[bytes]()
    while end - start > 1:
        middle = start + split(end - start)
        if index < middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(start, middle))
            start = middle
    return path[::-1]


def root_from_path(index: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bytes | None:
    """The root that a leaf and its path make; None where the path does not fit such a tree."""
    if not 0 <= index < size:
        return None
    steps = _sides(index, size)
    if len(steps) != len(path):
        return None
    node = leaf
    for left, sibling in zip(reversed(steps), path, strict=True):
        node = node_hash(sibling, node) if left else node_hash(node, sibling)
    return node


def _sides(index: int, size: int) -> list[bool]:
    """From the root down: whether the sibling stands on the left."""
    start, end, sides = 0, size, list[bool]()
    while end - start > 1:
        middle = start + split(end - start)
        sides.append(index >= middle)
        start, end = (middle, end) if index >= middle else (start, middle)
    return sides


def chunks(packed: bytes) -> list[bytes]:
    """The hashes that were joined."""
    return [packed[at : at + HASH_BYTES] for at in range(0, len(packed), HASH_BYTES)]
