"""What a check of a log found: how far it is right, or the first place where it is not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from crm_events.audit.tree import Peaks, chunks

_TOKEN: Final = re.compile(
    r"(\d{1,18})\.(\d{1,18})\.(\d{1,18})\.((?:[0-9a-f]{64}){0,62})", re.ASCII
)


class NoState(ValueError):
    """The text is no place that a check had reached."""


@dataclass(frozen=True, slots=True)
class Reached:
    """Up to where everything was found right: so many leaves up to a position, so many
    checkpoints, and the peaks of the tree that was computed anew."""

    size: int = 0
    position: int = 0
    checkpoints: int = 0
    peaks: bytes = b""

    def tree(self) -> Peaks:
        return Peaks(self.size, tuple(chunks(self.peaks)))

    def __str__(self) -> str:
        return f"{self.size}.{self.position}.{self.checkpoints}.{self.peaks.hex()}"


def read_reached(text: str) -> Reached:
    """The reverse of `str`. Raises NoState."""
    found = _TOKEN.fullmatch(text)
    if found is None:
        raise NoState("This is no place that a check had reached; begin without one.")
    reached = Reached(int(found[1]), int(found[2]), int(found[3]), bytes.fromhex(found[4]))
    try:
        reached.tree()
    except ValueError:
        raise NoState("This is no place that a check had reached; begin without one.") from None
    return reached


@dataclass(frozen=True, slots=True)
class Wrong:
    """The first bad position, and the last one that may be it where that cannot be told from what
    is there; what is wrong in one of the words of KINDS, and in a sentence."""

    position: int
    upto: int
    kind: str
    detail: str


KINDS: Final = {
    "altered": "the event is not the one that was sealed",
    "missing": "the event that was sealed is not there",
    "inserted": "an event is there that was not when this part of the log was sealed",
    "sealed": "the sealed rows themselves were changed",
    "rewritten": "log and sealed rows agree, and a signed checkpoint says otherwise",
    "checkpoint": "a checkpoint is broken, missing, or signed by nobody who is trusted",
}


def wrong(kind: str, position: int, detail: str | None = None, upto: int | None = None) -> Wrong:
    last = position if upto is None else upto
    return Wrong(position, last, kind, detail or KINDS[kind])


class Tampered(Exception):
    """The check ends here."""

    def __init__(self, found: Wrong) -> None:
        super().__init__(found.detail)
        self.found = found
