"""That a log only grew from one checkpoint to a later one, shown to who kept the earlier one."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from crm_events.audit.log import AuditLog
from crm_events.audit.note import BrokenNote, Checkpoint, Verifier
from crm_events.audit.proving import (
    NoProof,
    NotProvable,
    Subtrees,
    holding,
    opened_under,
    signer_of,
)
from crm_events.audit.tree import Subtree, node_hash, split

FORM: Final = "crm-consistency-proof/1"


class UnknownCheckpoint(NotProvable):
    """No checkpoint of so many events was signed."""


@dataclass(frozen=True, slots=True)
class Grew:
    """What a proof has shown: the later checkpoint covers all that the earlier one does."""

    old: Checkpoint
    new: Checkpoint
    signed_by: Verifier


def consistency_path(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """The hashes that lead from the root over `old` leaves, one or more, to that over `new` (RFC
    6962, 2.1.2)."""
    start, end, path = 0, new, list[bytes]()
    while end > old:
        middle = start + split(end - start)
        if old <= middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(start, middle))
            start = middle
    return [*([subtree(start, end)] if start else []), *reversed(path)]


def roots_from_path(
    old: int, new: int, root: bytes, path: Sequence[bytes]
) -> tuple[bytes, bytes] | None:
    """The roots over `old` and over `new` leaves that such a path makes, where the first is said
    to be `root`; None where the path does not fit such trees."""
    if not 0 < old <= new:
        return None
    lefts = _lefts(old, new)
    begun = any(lefts)
    if len(path) != len(lefts) + begun:
        return None
    before = after = path[0] if begun else root
    for left, sibling in zip(reversed(lefts), path[begun:], strict=True):
        after = node_hash(sibling, after) if left else node_hash(after, sibling)
        before = node_hash(sibling, before) if left else before
    return before, after


def _lefts(old: int, new: int) -> list[bool]:
    """From the root over `new` down: whether the sibling stands on the left."""
    start, end, lefts = 0, new, list[bool]()
    while end > old:
        middle = start + split(end - start)
        lefts.append(old > middle)
        start, end = (middle, end) if old > middle else (start, middle)
    return lefts


def prove_growth(log: AuditLog, old: int, new: int, trusted: Sequence[Verifier]) -> dict[str, Any]:
    """A document for `check_growth`, between checkpoints of so many events. Raises NotProvable."""
    if not 0 < old <= new:
        raise UnknownCheckpoint("Name the smaller size first; both are of one event or more.")
    notes = [_note_of(log, size) for size in (old, new)]
    path = consistency_path(old, new, Subtrees(log, new).root)
    document = {
        "form": FORM,
        "hashes": [b64encode(digest).decode() for digest in path],
        "old_checkpoint": notes[0],
        "checkpoint": notes[1],
        "keys": [str(verifier) for verifier in trusted],
    }
    with holding():
        check_growth(document, trusted)
    return document


def _note_of(log: AuditLog, size: int) -> str:
    signed = log.signed_from(size)
    if signed is not None and signed.size == size:
        return signed.note
    last = log.last_signed()
    near = signed or last
    if near is None:
        raise UnknownCheckpoint("Nothing is sealed yet: run `crm audit seal` first.")
    raise UnknownCheckpoint(
        f"There is no checkpoint of {size} events; the next one is of {near.size}."
        if signed
        else f"There is no checkpoint of {size} events; the last one is of {near.size}."
    )


def check_growth(
    document: Mapping[str, Any], trusted: Sequence[Verifier], kept: Sequence[Checkpoint] = ()
) -> Grew:
    """Needs nothing but the document and keys; `kept` are checkpoints that were kept of old, one of
    which has to be the earlier one of the proof where there are any. Raises NoProof."""
    path, notes = _read(document)
    try:
        old, new = (opened_under(note, trusted) for note in notes)
    except BrokenNote as error:
        raise NoProof(f"This proves nothing: {error}") from error
    if kept and old not in kept:
        raise NoProof(
            f"This proves nothing: the checkpoint of {old.size} events that it begins with is not "
            "the one that was kept."
        )
    roots = roots_from_path(old.size, new.size, old.root, path)
    if old.origin != new.origin or roots != (old.root, new.root):
        raise NoProof(
            f"This proves nothing: the log of {new.size} events is not that of {old.size} with "
            "more behind it."
        )
    return Grew(old, new, signer_of(notes[1], trusted))


def _read(document: Mapping[str, Any]) -> tuple[list[bytes], tuple[str, str]]:
    try:
        path = [b64decode(digest, validate=True) for digest in document["hashes"]]
        return path, (str(document["old_checkpoint"]), str(document["checkpoint"]))
    except (KeyError, TypeError, ValueError, NotBase64) as error:
        raise NoProof("This is no proof: a member is missing or cannot be read.") from error
