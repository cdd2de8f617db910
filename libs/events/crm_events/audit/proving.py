"""That one event is in a log, shown to somebody who has neither the log nor the server."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from crm_events.audit.entry import MalformedEntry, leaf_hash, read_entry
from crm_events.audit.finding import Tampered
from crm_events.audit.log import POSITION_BYTES, AuditLog
from crm_events.audit.note import BrokenNote, Checkpoint, Verifier, opened_note, read_checkpoint
from crm_events.audit.sealed import Leaves, sealed_leaves
from crm_events.audit.tree import TILE, Peaks, inclusion_path, root_from_path, root_of

FORM: Final = "crm-inclusion-proof/1"
_ROOTS: Final = 10_000


class NotProvable(Exception):
    """There is no such event, it is not sealed yet, or its sealed rows are not in order."""


class NoProof(ValueError):
    """The document proves nothing; the message says why."""


@dataclass(frozen=True, slots=True)
class Proven:
    """What a proof has shown: the fields of the event, and the checkpoint that covers it."""

    fields: Mapping[str, Any]
    index: int
    checkpoint: Checkpoint
    signed_by: Verifier


class UnknownEvent(NotProvable):
    """The log holds no event of this id."""


def prove(log: AuditLog, event_id: UUID, trusted: Sequence[Verifier]) -> dict[str, Any]:
    """A document for `check_proof`, as of the last checkpoint. Raises NotProvable."""
    leaf = log.leaf_of(event_id)
    if leaf is None:
        raise UnknownEvent(f"There is no event {event_id}.")
    last, head = log.last_signed(), log.head()
    if leaf.hashed is None or last is None or last.size != head.size:
        raise NotProvable("The sealed rows are not in order; `crm audit verify` says where.")
    if leaf.position > last.position:
        raise NotProvable(
            f"The event is at position {leaf.position}, and the log is sealed up to "
            f"{last.position}: run `crm audit seal` first."
        )
    index = _index_of(log, leaf.position, last.size)
    path = inclusion_path(index, last.size, Subtrees(log, last.size).root)
    document = {
        "form": FORM,
        "entry": b64encode(leaf.hashed[1:]).decode(),
        "index": index,
        "hashes": [b64encode(digest).decode() for digest in path],
        "checkpoint": last.note,
        "keys": [str(verifier) for verifier in trusted],
    }
    with holding():
        check_proof(document, trusted)
    return document


@contextmanager
def holding() -> Iterator[None]:
    """A proof that does not hold is not given out. Raises NotProvable."""
    try:
        yield
    except NoProof as error:
        raise NotProvable(f"{error} `crm audit verify` says where the log was changed.") from error


def _index_of(log: AuditLog, position: int, size: int) -> int:
    """Among the leaves; tiles are in the order of their positions. Raises NotProvable."""
    low, high = 0, (size - 1) // TILE
    while low < high:
        middle = (low + high + 1) // 2
        tile = log.tiles(middle, 1)
        first = tile[0].positions[:POSITION_BYTES] if tile else b""
        low, high = (low, middle - 1) if _number(first) > position else (middle, high)
    positions = _sealed(log, low * TILE, TILE).positions
    if position not in positions:
        raise NotProvable("The event is not among the sealed ones; run `crm audit verify`.")
    return low * TILE + positions.index(position)


def _sealed(log: AuditLog, first: int, count: int) -> Leaves:
    try:
        return sealed_leaves(log, first, count)
    except Tampered as tampered:
        detail = "Sealed rows were changed; `crm audit verify` says where."
        raise NotProvable(detail) from tampered


def _number(packed: bytes) -> int:
    return int.from_bytes(packed, "big")


class Subtrees:
    """Roots over leaves, from the roots of whole tiles where it can."""

    def __init__(self, log: AuditLog, size: int) -> None:
        self._log = log
        self._size = size
        self._roots = self._whole_tiles()

    def _whole_tiles(self) -> list[bytes]:
        roots: list[bytes] = []
        while page := self._log.tile_roots(len(roots), _ROOTS):
            roots += [root for _, root in page if root is not None]
            if len(page) < _ROOTS:
                break
        return roots[: self._size // TILE]

    def root(self, start: int, end: int) -> bytes:
        """Raises NotProvable."""
        whole = (end - start) // TILE
        if start % TILE == 0 and whole and start // TILE + whole <= len(self._roots):
            return self._over_tiles(start, end, whole)
        leaves = _sealed(self._log, start, end - start).hashes
        if len(leaves) != end - start:
            raise NotProvable("Sealed rows are missing; `crm audit verify` says where.")
        return root_of(leaves)

    def _over_tiles(self, start: int, end: int, whole: int) -> bytes:
        first = start // TILE
        tree = Peaks()
        for root in self._roots[first : first + whole]:
            tree.extended_by_tile(root)
        rest = _sealed(self._log, start + whole * TILE, end - start - whole * TILE)
        return tree.extended(rest.hashes).root()


def check_proof(document: Mapping[str, Any], trusted: Sequence[Verifier]) -> Proven:
    """Needs nothing but the document and keys. Raises NoProof."""
    entry, index, path, note = _read(document)
    try:
        fields = read_entry(entry)
        checkpoint = opened_under(note, trusted)
    except (MalformedEntry, BrokenNote) as error:
        raise NoProof(f"This proves nothing: {error}") from error
    root = root_from_path(index, checkpoint.size, leaf_hash(b"\0" + entry), path)
    if root != checkpoint.root:
        raise NoProof("This proves nothing: the event is not under the checkpoint's root.")
    return Proven(fields, index, checkpoint, signer_of(note, trusted))


def opened_under(note: str, trusted: Sequence[Verifier]) -> Checkpoint:
    """What a note says that one of the keys signed. Raises BrokenNote."""
    return opened_note(note, [_under(note, verifier) for verifier in trusted])


def signer_of(note: str, trusted: Sequence[Verifier]) -> Verifier:
    """Whose signature of a note that was opened is believed."""
    return next(verifier for verifier in trusted if _signed_by(note, verifier))


def _under(note: str, verifier: Verifier) -> Verifier:
    """A key may be given without a log's name: it signs under the name of the log."""
    return verifier if verifier.name else Verifier(read_checkpoint(note).origin, verifier.public)


def _signed_by(note: str, verifier: Verifier) -> bool:
    try:
        opened_under(note, [verifier])
    except BrokenNote:
        return False
    return True


def _read(document: Mapping[str, Any]) -> tuple[bytes, int, list[bytes], str]:
    try:
        if document["form"] != FORM:
            raise NoProof(f"This is no proof of the form {FORM}.")
        entry = b64decode(document["entry"], validate=True)
        path = [b64decode(digest, validate=True) for digest in document["hashes"]]
        return entry, int(document["index"]), path, str(document["checkpoint"])
    except (KeyError, TypeError, ValueError, NotBase64) as error:
        if isinstance(error, NoProof):
            raise
        raise NoProof("This is no proof: a member is missing or cannot be read.") from error
