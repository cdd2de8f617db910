"""Checkpoints that left the database, read back from a folder or a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from crm_events.audit.keyfile import KeyFileRefused, read_keys
from crm_events.audit.note import (
    BrokenNote,
    Checkpoint,
    Verifier,
    opened_note,
    read_checkpoint,
    read_verifier,
)


class CheckpointRefused(Exception):
    """A file is no checkpoint that can be believed; the message says which and why."""


class NoSuchKey(Exception):
    """What was given as a public key is none."""


@dataclass(frozen=True, slots=True)
class Left:
    """A note as it was found."""

    path: Path
    checkpoint: Checkpoint
    note: str


def checkpoints_at(place: Path) -> dict[str, list[Left]]:
    """By the name of their log, the smallest first. Raises CheckpointRefused."""
    files = [place] if place.is_file() else sorted(place.rglob("[!.]*.txt"))
    if not files:
        raise CheckpointRefused(f"{place} holds no checkpoints; name the folder they were left in.")
    found: dict[str, list[Left]] = {}
    for path in files:
        left = _read(path)
        found.setdefault(left.checkpoint.origin, []).append(left)
    for several in found.values():
        several.sort(key=lambda left: left.checkpoint.size)
    return found


def _read(path: Path) -> Left:
    try:
        note = path.read_text("utf-8")
        return Left(path, read_checkpoint(note), note)
    except (OSError, UnicodeDecodeError, BrokenNote) as error:
        raise CheckpointRefused(f"{path} is no checkpoint: {error}") from error


def believed(several: Iterable[Left], trusted: Sequence[Verifier]) -> list[Checkpoint]:
    """What they say, where one of the keys signed each. Raises CheckpointRefused."""
    checkpoints = []
    for left in several:
        named = [v if v.name else Verifier(left.checkpoint.origin, v.public) for v in trusted]
        try:
            checkpoints.append(opened_note(left.note, named))
        except BrokenNote as error:
            raise CheckpointRefused(f"{left.path}: {error}") from error
    return checkpoints


def given_key(text: str) -> tuple[Verifier, ...]:
    """A file of PEM or of lines `name+id+key`, or one such line; a key out of PEM has no name, and
    is believed under any. Raises NoSuchKey."""
    try:
        path = Path(text)
        if not path.is_file():
            return (read_verifier(text),)
        lines = path.read_bytes().decode("utf-8", "replace")
        if "-----BEGIN" in lines:
            return tuple(Verifier("", public) for public in read_keys(path).trusted)
        return tuple(read_verifier(line) for line in lines.splitlines() if line.strip())
    except (BrokenNote, KeyFileRefused, OSError) as error:
        raise NoSuchKey(f"{text}: {error}") from error


def verifiers_of(standing: Mapping[str, object]) -> tuple[Verifier, ...]:
    """Those that the service itself names."""
    keys = standing["keys"]
    return tuple(read_verifier(str(key)) for key in keys) if isinstance(keys, list) else ()
