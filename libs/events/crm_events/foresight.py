"""What a command reads second is read along with what it reads first: one question, not two.

Which that is comes from habit: commands about a deal go on to its pipeline, and there are few of
those. Nothing is kept but the id, so a command still decides on what was stored after it came.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from crm_events.domain import Change
from crm_events.store.mapper import ChangeStore


@dataclass(slots=True)
class _Reading:
    """What one command has read: the kind it began with, and what was read along unasked."""

    first: type | None = None
    foreseen: dict[UUID, Sequence[StoredEvent]] = field(default_factory=dict)


class Foresight:
    """Reads streams for commands, each of which stays on its thread. Thread-safe."""

    def __init__(self, events: ChangeStore) -> None:
        self._events = events
        self._habits: dict[type, UUID] = {}
        self._here = threading.local()

    @contextmanager
    def command(self) -> Iterator[None]:
        """One attempt of one command: nothing that was read outlasts it."""
        before, reading = self._reading(), _Reading()
        self._here.reading = reading
        try:
            yield
        finally:
            self._here.reading = before
            if reading.foreseen and reading.first is not None:
                self._habits.pop(reading.first, None)  # it was read for nothing

    def stream(self, kind: type, id: UUID) -> list[Change]:
        """The changes of one aggregate; none where there is no such thing."""
        reading = self._reading()
        if reading is None:
            return self._events.stream(id)
        if reading.first is None:
            reading.first = kind
            return self._with_habit(reading, kind, id)
        self._habits[reading.first] = id
        stored = reading.foreseen.pop(id, None)
        return self._events.stream(id) if stored is None else self._events.changes(stored)

    def _with_habit(self, reading: _Reading, kind: type, id: UUID) -> list[Change]:
        habit = self._habits.get(kind)
        if habit is None or habit == id:
            return self._events.stream(id)
        streams = self._events.recorder.select_streams((id, habit))
        reading.foreseen[habit] = streams.get(habit, ())
        return self._events.changes(streams.get(id, ()))

    def _reading(self) -> _Reading | None:
        return getattr(self._here, "reading", None)
