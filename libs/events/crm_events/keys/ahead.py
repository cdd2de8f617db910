"""Ids for people nobody has told of yet, whose keys are made several at a time.

A key must be durable before anything is sealed with it, which costs a request and a transaction of
the key database. One that is there before its person is, is waited for by nobody.
"""

from __future__ import annotations

import threading
from typing import Final
from uuid import UUID

from crm_events.ids import new_id
from crm_events.keys.port import SubjectKeys

MOST_AHEAD: Final = 64


class NewSubjects:
    """Draws twice as many as the last time, so that never more lie unused than were handed out:
    whoever needs one makes one. Who finds none while others are drawn makes one alone, for nobody
    waits behind a key database that does not answer. Thread-safe."""

    def __init__(self, keys: SubjectKeys) -> None:
        self._keys = keys
        self._ahead: list[UUID] = []
        self._next = 1
        self._looking = threading.Lock()
        self._drawing = threading.Lock()

    def one(self) -> UUID:
        """An id that nobody has. Its key is there, or is made when something is sealed for it: who
        seals asks for it again, as for everybody's. Raises KeysUnavailable."""
        with self._looking:
            if self._ahead:
                return self._ahead.pop()
        if not self._drawing.acquire(blocking=False):
            return self._drawn(1)[0]
        try:
            return self._one_of_several()
        finally:
            self._drawing.release()

    def _one_of_several(self) -> UUID:
        first, *others = self._drawn(self._next)
        with self._looking:
            self._ahead = others[::-1] + self._ahead
            self._next = min(2 * self._next, MOST_AHEAD)
        return first

    def _drawn(self, count: int) -> list[UUID]:
        """The oldest comes first."""
        drawn = [new_id() for _ in range(count)]
        self._keys.ensure(drawn)
        return drawn
