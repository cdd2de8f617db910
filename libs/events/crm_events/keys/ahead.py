"""Ids for people nobody has told of yet, whose keys are made several at a time.

A key must be durable before anything is sealed with it, which costs a request and a transaction of
the key database. One that is there before its person is, is waited for by nobody.
"""

from __future__ import annotations

import threading
from typing import Final
from uuid import UUID

from crm_events.ids import new_id
from crm_events.keys.port import KeysUnavailable, SubjectKeys

MOST_AHEAD: Final = 64
_ENOUGH: Final = 0.75
"""Such a part of them may be missing."""


class NewSubjects:
    """Keeps as many as were handed out, up to `MOST_AHEAD`: whoever needs one makes one, and no
    more lie unused than were ever of use. They are filled up before the last is gone, by one caller
    alone while the others go on; who finds none while that lasts makes one for itself, for nobody
    waits behind a key database that does not answer. Thread-safe."""

    def __init__(self, keys: SubjectKeys) -> None:
        self._keys = keys
        self._ahead: list[UUID] = []
        self._handed_out = 0
        self._looking = threading.Lock()
        self._drawing = threading.Lock()

    def one(self) -> UUID:
        """An id that nobody has. Its key is there, or is made when something is sealed for it: who
        seals asks for it again, as for everybody's. Raises KeysUnavailable."""
        with self._looking:
            mine = self._ahead.pop() if self._ahead else None
            wanted = min(self._handed_out, MOST_AHEAD)
            missing = wanted - len(self._ahead)
            self._handed_out += 1
        if mine is not None and missing <= _ENOUGH * wanted:
            return mine
        if not self._drawing.acquire(blocking=False):
            return mine or self._drawn(1)[0]
        try:
            return self._filled_up(missing, mine)
        finally:
            self._drawing.release()

    def _filled_up(self, missing: int, mine: UUID | None) -> UUID:
        """Whoever has one needs no more for now, whether or not they are to be had."""
        try:
            drawn = self._drawn(missing if mine else missing + 1)
        except KeysUnavailable:
            if mine is None:
                raise
            return mine
        first = mine or drawn.pop(0)
        with self._looking:
            self._ahead = drawn[::-1] + self._ahead
        return first

    def _drawn(self, count: int) -> list[UUID]:
        """The oldest comes first."""
        drawn = [new_id() for _ in range(count)]
        self._keys.begin(drawn)
        return drawn
