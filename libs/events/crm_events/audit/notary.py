"""Grows the tree over what the log has gained, and signs what it comes to.

It runs behind the relay, on complete positions only, and no command ever waits for it. Head, leaf
hashes and checkpoint are written in one transaction by compare-and-set, so that of two notaries at
work one finds its head moved, and the tree cannot fork.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crm_events.audit.entry import Leaf, leaf_hash
from crm_events.audit.log import POSITION_BYTES, AuditLog, Head, Signed, Tile
from crm_events.audit.note import BrokenNote, Checkpoint, Verifier, opened_note, signed
from crm_events.audit.tree import HASH_BYTES, TILE, packed_root
from crm_events.crashing import crash_point

BATCH: Final = 8_192
"""How many events one checkpoint takes in at most."""


class TreeBroken(Exception):
    """What was written of the tree was changed by somebody else: nothing is signed over it."""


@dataclass(frozen=True, slots=True)
class Grown:
    """How far the tree goes now, and how many events it took in."""

    head: Head
    events: int


class Notary:
    """Signs for one log. `safe` answers up to where the log is complete."""

    def __init__(
        self,
        log: AuditLog,
        safe: Callable[[], int],
        origin: str,
        signer: Ed25519PrivateKey,
        trusted: Sequence[Verifier],
    ) -> None:
        self._log = log
        self._safe = safe
        self._origin = origin
        self._signer = signer
        self._trusted = trusted
        self._seen = Head()

    def take_in(self) -> Grown:
        """Everything that is complete. Raises StoreUnavailable, TreeBroken."""
        events = sum(self.batches())
        return Grown(self._seen, events)

    def batches(self) -> Iterator[int]:
        """The same, batch by batch: how many events each had."""
        target = self._safe()
        while (taken := self._take_batch(target)) != 0:
            yield max(taken, 0)

    def _take_batch(self, target: int) -> int:
        """How many events were taken in, -1 where another notary was faster; 0 ends it."""
        head = self._trusted_head()
        try:
            return self._take_behind(head, target)
        except TreeBroken:
            if self._log.head() == head:
                raise
            return -1

    def _take_behind(self, head: Head, target: int) -> int:
        leaves = self._log.leaves(head.position, target, BATCH)
        if not leaves:
            return 0
        hashes = [leaf_hash(_readable(leaf)) for leaf in leaves]
        tiles = self._tiles(head, [leaf.position for leaf in leaves], b"".join(hashes))
        tree = head.tree().extended(hashes)
        number, position = head.checkpoints + 1, leaves[-1].position
        new = Head(tree.size, position, number, b"".join(tree.hashes))
        note = signed(Checkpoint(self._origin, tree.size, tree.root()), self._signer)
        crash_point("sealing")
        if not self._log.grow(head, new, tiles, Signed(number, tree.size, position, note)):
            return -1
        crash_point("sealed")
        self._seen = new
        return len(leaves)

    def _trusted_head(self) -> Head:
        """The head, where the last checkpoint vouches for it. Raises TreeBroken."""
        head, last = self._log.head(), self._log.last_signed()
        if head.size < self._seen.size:
            raise TreeBroken(f"{self._origin}: the tree went back from {self._seen.size} events.")
        if head == self._seen:
            return head
        if (last.number if last else 0) != head.checkpoints:
            return self._again(head)
        try:
            size, root = head.size, head.tree().root()
            vouched = last is None or opened_note(last.note, self._trusted) == Checkpoint(
                self._origin, size, root
            )
        except (ValueError, BrokenNote) as error:
            raise TreeBroken(f"{self._origin}: {error}") from error
        if not vouched:
            raise TreeBroken(f"{self._origin}: the head is not what the last checkpoint says.")
        self._seen = head
        return head

    def _again(self, head: Head) -> Head:
        """Between the two questions another notary may have been at work."""
        if self._log.head() == head:
            raise TreeBroken(f"{self._origin}: checkpoints are missing.")
        return self._trusted_head()

    def _tiles(self, head: Head, numbers: Sequence[int], hashes: bytes) -> list[Tile]:
        """Every tile that leaves at these positions begin or fill. Raises TreeBroken."""
        first, filled = divmod(head.size, TILE)
        positions = struct.pack(f">{len(numbers)}q", *numbers)
        if filled:
            found = self._log.tiles(first, 1)
            if not found or (found[0].number, found[0].width) != (first, filled):
                raise TreeBroken(f"{self._origin}: leaf hashes from {first * TILE} are missing.")
            positions, hashes = found[0].positions + positions, found[0].hashes + hashes
        count = -(-(len(hashes) // HASH_BYTES) // TILE)
        return [_tile(first, n, positions, hashes) for n in range(count)]


def _readable(leaf: Leaf) -> bytes:
    if leaf.hashed is None:
        raise TreeBroken(f"The event at position {leaf.position} holds what was never stored.")
    return leaf.hashed


def _tile(first: int, n: int, positions: bytes, hashes: bytes) -> Tile:
    """The n-th of the tiles that these hashes fill from `first` on."""
    own = hashes[n * TILE * HASH_BYTES : (n + 1) * TILE * HASH_BYTES]
    at = positions[n * TILE * POSITION_BYTES : (n + 1) * TILE * POSITION_BYTES]
    whole = len(own) == TILE * HASH_BYTES
    return Tile(first + n, at, own, packed_root(own) if whole else None)
