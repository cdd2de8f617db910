"""Points at which a process can be told to die at once, to try what a crash there leaves behind."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Final, NoReturn

POINTS: Final[Mapping[str, str]] = {
    "saved": "a command is saved, and not answered",
    "imported": "a page of an import is saved, and not answered",
    "published": "events are on the topic, and the relay's position is where it was",
    "sealing": "a checkpoint is signed, and the tree is where it was",
    "sealed": "the tree has grown, and the checkpoint has not left",
    "reacted": "reactions are saved, and the feed has not heard of it",
    "applied": "events are applied to a view, and the transaction is not committed",
    "taken": "a view's transaction is committed, and the feed has not heard of it",
    "rebuilding": "a part of a view's new generation is filled",
    "switching": "a new generation is put in place, and the transaction is not committed",
}
EXIT_CODE: Final = 137
"""That of a process which was killed."""


class UnknownCrashPoint(ValueError):
    """There is no such point; the message names those that there are."""


class _Armed:
    """What this process is to die of; nothing, as a rule."""

    point: str | None = None
    left = 0


def parsed(text: str) -> tuple[str, int]:
    """`published:3` is the third time that `published` is passed. Raises UnknownCrashPoint."""
    point, _, count = text.partition(":")
    if point not in POINTS:
        raise UnknownCrashPoint(f"name one of {', '.join(POINTS)}")
    if not (count or "1").isdecimal() or count == "0":
        raise UnknownCrashPoint("give the number of the passage as 1 or more, as in published:3")
    return point, int(count or "1")


def arm(text: str | None) -> None:
    """From now on this process dies as `text` says; None disarms. Raises UnknownCrashPoint."""
    _Armed.point, _Armed.left = (None, 0) if text is None else parsed(text)


def crash_point(name: str) -> None:
    """Passed on the way; nothing happens unless this very point is armed."""
    if _Armed.point is not None and _Armed.point == name:
        _pass(name)


def _pass(name: str) -> None:
    _Armed.left -= 1
    if _Armed.left <= 0:
        _die(name)


def _die(name: str) -> NoReturn:
    """Without a goodbye to anybody: no connection is closed and nothing is flushed."""
    sys.stderr.write(f"CRM_CRASH_AT: dies at {name}, where {POINTS[name]}\n")
    sys.stderr.flush()
    os._exit(EXIT_CODE)
