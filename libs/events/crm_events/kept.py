"""Things as their last command left them, so that the next one about them need not read them.

What is kept may be out of date: another process has written, or a subject was erased. So the store
checks, where it saves, that nothing came after what was taken for granted; and what is refused on
the strength of what was kept is decided again on what is stored. See docs/adr/0018.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from crm_events.domain import Aggregate
from crm_events.keys.cache import FIVE_MINUTES
from crm_events.sealing import subjects_in
from crm_events.store.granted import IdentifiedEvent

MOST: Final = 2_048


@dataclass(slots=True)
class Thing:
    """An aggregate, the id of the last event it is made of, and whose sealed values are in it."""

    aggregate: Aggregate
    last: UUID
    subjects: frozenset[UUID]

    @classmethod
    def of(cls, aggregate: Aggregate, events: Iterable[IdentifiedEvent]) -> Thing:
        every = list(events)
        subjects = subjects_in(event.state for event in every)
        return cls(aggregate, every[-1].event_id, frozenset(subjects))

    def followed_by(self, events: Iterable[IdentifiedEvent]) -> Thing:
        """The same once its pending events are stored."""
        later = Thing.of(self.aggregate, events)
        return Thing(self.aggregate, later.last, self.subjects | later.subjects)


class Kept:
    """So many things at most, the longest unused go first, none for longer than a key is kept.

    `opens` tells whether there are keys for all of these subjects. Thread-safe: whoever takes a
    thing has it alone; several at work on one thing at a time keep a copy each.
    """

    def __init__(
        self,
        opens: Callable[[frozenset[UUID]], bool],
        most: int = MOST,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._opens = opens
        self._most = most
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._things: dict[UUID, list[tuple[float, Thing]]] = {}
        self._elsewhere: dict[UUID, float] = {}

    def take(self, kind: type[Aggregate], id: UUID) -> Thing | None:
        """The thing, for the caller alone. Raises KeysUnavailable."""
        with self._lock:
            copies = self._things.pop(id, None)
            if not copies:
                return None
            until, thing = copies.pop()
            if copies:
                self._things[id] = copies
        fits = type(thing.aggregate) is kind and until > self._monotonic()
        if not fits or (thing.subjects and not self._opens(thing.subjects)):
            return None
        return thing

    def put(self, thing: Thing) -> None:
        """Earlier versions of it are of no use any more."""
        id, version, now = thing.aggregate.id, thing.aggregate.version, self._monotonic()
        with self._lock:
            if self._elsewhere.get(id, 0.0) > now:
                return
            copies = [c for c in self._things.pop(id, ()) if c[1].aggregate.version >= version]
            if not copies or copies[0][1].aggregate.version == version:
                copies.append((now + FIVE_MINUTES, thing))
            self._things[id] = copies
            _trim(self._things, self._most)

    def leave(self, id: UUID) -> None:
        """Another process works on it, too: to keep it costs more than it saves, for a while."""
        with self._lock:
            self._things.pop(id, None)
            self._elsewhere.pop(id, None)
            self._elsewhere[id] = self._monotonic() + FIVE_MINUTES
            _trim(self._elsewhere, self._most)


def _trim(entries: dict[UUID, Any], most: int) -> None:
    while len(entries) > most:
        del entries[next(iter(entries))]
