"""What the audit asks of a store, and the rows it keeps there; one suite runs on both adapters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from crm_events.audit.entry import Leaf, Rows
from crm_events.audit.tree import HASH_BYTES, Peaks, chunks

POSITION_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Head:
    """How far the tree goes: the number of its leaves, the position of the last one, how many
    checkpoints were signed, and its peaks."""

    size: int = 0
    position: int = 0
    checkpoints: int = 0
    peaks: bytes = b""

    def tree(self) -> Peaks:
        """Raises ValueError where the row was changed."""
        return Peaks(self.size, tuple(chunks(self.peaks)))


@dataclass(frozen=True, slots=True)
class Tile:
    """Up to 256 leaves, number `number` of them: their hashes and positions, and once it is whole
    the root over it."""

    number: int
    positions: bytes
    hashes: bytes
    root: bytes | None

    @property
    def width(self) -> int:
        return len(self.hashes) // HASH_BYTES


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint of this store's log; `left` is when it was brought outside, if it was."""

    number: int
    size: int
    position: int
    note: str
    left: datetime | None = None


class AuditLog(ABC):
    """Raises StoreUnavailable."""

    @abstractmethod
    def rows(self, after: int, upto: int, limit: int) -> Rows:
        """Those of the log with `after` < position <= `upto`, in order."""

    def leaves(self, after: int, upto: int, limit: int) -> Sequence[Leaf]:
        """The same, one by one."""
        rows = self.rows(after, upto, limit)
        return [Leaf(*each) for each in zip(rows.positions, rows.hashed, strict=True)]

    @abstractmethod
    def leaf_of(self, event_id: UUID) -> Leaf | None: ...

    @abstractmethod
    def stored(self) -> int:
        """The position of the last row of the log, whether all before it is complete or not."""

    @abstractmethod
    def head(self) -> Head: ...

    @abstractmethod
    def tiles(self, first: int, count: int) -> Sequence[Tile]:
        """Those with number >= `first`, in order."""

    @abstractmethod
    def tile_roots(self, first: int, count: int) -> Sequence[tuple[int, bytes | None]]:
        """Number and root of those with number >= `first`, in order."""

    @abstractmethod
    def grow(self, old: Head, new: Head, tiles: Sequence[Tile], signed: Signed) -> bool:
        """Write all of it, where the head is still the old one; False and nothing where not."""

    @abstractmethod
    def signed(self, after: int, limit: int) -> Sequence[Signed]:
        """Checkpoints with number > `after`, in order."""

    @abstractmethod
    def last_signed(self) -> Signed | None: ...

    @abstractmethod
    def signed_from(self, size: int) -> Signed | None:
        """The first checkpoint of so many events or more."""

    @abstractmethod
    def staying(self, limit: int) -> Sequence[Signed]:
        """Checkpoints that have not left yet, the oldest first."""

    @abstractmethod
    def unsealed(self, after: int) -> int:
        """How many rows of the log have a position > `after`."""

    @abstractmethod
    def has_left(self, number: int, at: datetime) -> None: ...

    @abstractmethod
    def asked(self) -> int:
        """Up to which position somebody wants the tree to reach."""

    @abstractmethod
    def ask(self, position: int) -> None: ...
