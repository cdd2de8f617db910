"""Ctrl-C, and one sentence that says what is kept and how to go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during work of which it is known how to go on: the text is said after
    "interrupted;"."""


@contextmanager
def interruptible(how: str) -> Iterator[None]:
    """Whatever is interrupted inside is gone on with as `how` says, unless somebody inside knows
    better."""
    try:
        yield
    except Interrupted:
        raise
    except KeyboardInterrupt:
        raise Interrupted(how) from None
