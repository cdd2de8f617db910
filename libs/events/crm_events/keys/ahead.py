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
    whoever needs one makes one. Thread-safe."""

    def __init__(self, keys: SubjectKeys) -> None:
        self._keys = keys
        self._ahead: list[UUID] = []
        self._next = 1
        self._drawing = threading.Lock()

    def one(self) -> UUID:
        """An id that nobody has. Its key is there, or is made when something is sealed for it: who
        seals asks for it again, as for everybody's. Raises KeysUnavailable."""
        with self._drawing:
            if not self._ahead:
                self._ahead = self._drawn(self._next)
                self._next = min(2 * self._next, MOST_AHEAD)
            return self._ahead.pop()

    def _drawn(self, count: int) -> list[UUID]:
        """The oldest is handed out first."""
        drawn = [new_id() for _ in range(count)]
        self._keys.ensure(drawn)
        return drawn[::-1]
