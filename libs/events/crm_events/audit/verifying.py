"""Checks a log against what was sealed of it, part by part: nothing is decoded, nothing kept.

Three things must agree: the rows of the log, the leaf hashes in the tiles, and the roots that
checkpoints are signed over. Where the first two differ, the checkpoints say which of them was
changed, and the first difference is the first bad position.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from crm_events.audit.diagnosing import diagnose
from crm_events.audit.finding import Reached, Tampered, Wrong, wrong
from crm_events.audit.log import AuditLog, Head, Signed
from crm_events.audit.note import BrokenNote, Checkpoint, Verifier, opened_note
from crm_events.audit.sealed import Leaves, Notes, sealed_leaves
from crm_events.audit.tree import TILE

_PAGE: Final = 8 * TILE
_NO_END: Final = 2**62
_NO_HASH: Final = b""


@dataclass(frozen=True, slots=True)
class Trust:
    """The name that checkpoints give this log, and whose signatures are believed."""

    origin: str
    verifiers: Sequence[Verifier]


@dataclass(slots=True)
class Part:
    """What became of one part: `roots` holds, for each size that was asked for and reached, the
    root there and the position of its last leaf; `done` says
    that the sealed end was reached, and `unsealed` how many events lie behind it then."""

    reached: Reached
    head: Head
    wrong: Wrong | None = None
    roots: dict[int, tuple[bytes, int]] = field(default_factory=dict)
    done: bool = False
    unsealed: int = 0


def check_part(
    log: AuditLog, trust: Trust, start: Reached, limit: int, sizes: Sequence[int] = ()
) -> Part:
    """Check up to `limit` events more than were checked. Raises StoreUnavailable."""
    return _Checking(log, trust, start, sizes).run(limit)


class _Checking:
    def __init__(
        self,
        log: AuditLog,
        trust: Trust,
        start: Reached,
        sizes: Sequence[int],
    ) -> None:
        self._log = log
        self._trust = trust
        self._tree = start.tree()
        self._position = start.position
        self._good_to = start.position
        self._sizes = sorted({size for size in sizes if size >= start.size})
        self._notes = Notes(log, start.checkpoints)
        self._said: tuple[Signed, Checkpoint] | None = None
        self._part = Part(start, log.head())

    def run(self, limit: int) -> Part:
        try:
            self._walk(limit)
        except Tampered as tampered:
            self._part.wrong = tampered.found
        peaks = b"".join(self._tree.hashes)
        passed = self._notes.passed
        self._part.reached = Reached(self._tree.size, self._position, passed, peaks)
        return self._part

    def _walk(self, limit: int) -> None:
        """Raises Tampered."""
        size = self._part.head.size
        if size < self._tree.size:
            raise Tampered(wrong("sealed", self._position + 1, "the sealed head went back"))
        end = min(size, self._tree.size + limit)
        self._pass_stops()
        while self._tree.size < end:
            self._page(min(_PAGE - self._tree.size % TILE, end - self._tree.size))
        if end == size:
            self._finish()

    def _page(self, count: int) -> None:
        sealed = sealed_leaves(self._log, self._tree.size, count)
        there = _there(self._log, self._position, count)
        same = there.differs_at(sealed)
        self._advance(sealed.upto(same))
        if same < count:
            raise Tampered(self._difference(count - same))

    def _difference(self, count: int) -> Wrong:
        """What is wrong right behind what was reached."""
        next_note = self._notes.next
        if next_note is not None:
            count = max(count, next_note.size - self._tree.size)
        sealed = sealed_leaves(self._log, self._tree.size, count)
        there = _there(self._log, self._position, count)
        vouched = None if next_note is None else self._said_by(next_note)
        return diagnose(self._tree, there, sealed, vouched, self._position)

    def _advance(self, leaves: Leaves) -> None:
        """Over leaves that are as they were sealed, past every checkpoint among them."""
        at, start = 0, self._tree.size
        while at < len(leaves.hashes):
            stop = min(self._next_stop() - start, len(leaves.hashes))
            self._tree.extended(leaves.hashes[at:stop], leaves.roots)
            self._position = leaves.positions[stop - 1]
            at = stop
            self._pass_stops()

    def _next_stop(self) -> int:
        """The next size at which somebody wants to know the root."""
        note = self._notes.next
        stops = self._sizes[:1] + ([] if note is None else [self._said_by(note).size])
        return min(stops, default=_NO_END)

    def _pass_stops(self) -> None:
        size = self._tree.size
        if self._sizes and self._sizes[0] == size:
            self._part.roots[self._sizes.pop(0)] = self._tree.root(), self._position
        while (note := self._notes.next) is not None and self._said_by(note).size == size:
            self._pass(note)

    def _pass(self, note: Signed) -> None:
        if self._said_by(note).root != self._tree.root():
            raise Tampered(wrong("rewritten", self._good_to + 1, upto=self._position))
        if note.position != self._position:
            raise Tampered(wrong("checkpoint", self._good_to + 1, upto=self._position))
        self._good_to = self._position
        self._notes.go_on()

    def _said_by(self, note: Signed) -> Checkpoint:
        """Raises Tampered where the next checkpoint is not one that can be believed."""
        if self._said is not None and self._said[0] is note:
            return self._said[1]
        try:
            said = opened_note(note.note, self._trust.verifiers)
        except BrokenNote as error:
            raise Tampered(self._broken(note, str(error))) from error
        as_stored = (said.origin, said.size) == (self._trust.origin, note.size)
        if note.number != self._notes.passed + 1 or not as_stored or said.size < self._tree.size:
            raise Tampered(self._broken(note, f"checkpoint {self._notes.passed + 1} is missing"))
        self._said = note, said
        return said

    def _broken(self, note: Signed, detail: str) -> Wrong:
        return wrong("checkpoint", self._good_to + 1, detail, max(note.position, self._good_to + 1))

    def _finish(self) -> None:
        """The sealed end: the head is what was computed, and nothing lies behind it."""
        head, tree = self._part.head, self._tree
        if (head.position, head.peaks) != (self._position, b"".join(tree.hashes)):
            raise Tampered(wrong("sealed", self._position, "the sealed head was changed"))
        if head.checkpoints != self._notes.passed or self._good_to != self._position:
            raise Tampered(wrong("checkpoint", self._good_to + 1, upto=self._position))
        last = self._log.tiles(tree.size // TILE, 2)
        if [tile.width for tile in last] != [width for width in [tree.size % TILE] if width]:
            raise Tampered(wrong("sealed", self._position, "there are sealed rows of no event"))
        self._part.done = True
        self._part.unsealed = self._log.unsealed(head.position)


def _there(log: AuditLog, after: int, count: int) -> Leaves:
    rows = log.rows(after, _NO_END, count)
    return Leaves(
        rows.positions,
        [_NO_HASH if hashed is None else sha256(hashed).digest() for hashed in rows.hashed],
    )
