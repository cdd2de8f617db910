"""What reactions see of their own context: aggregates, a directory and timers, saved as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from crm_events.application import ContextApplication, NotFound
from crm_events.catalogue import context_of
from crm_events.domain import Aggregate, Change
from crm_events.envelope import Envelope, Origin
from crm_events.event import Event
from crm_events.feed.port import Lane
from crm_events.store.mapper import Cause
from crm_events.store.port import Beside, DirectoryEntry, Timer

A = TypeVar("A", bound=Aggregate)
_Key = tuple[str, UUID]


class Session:
    """What the reactions of one batch have loaded and decided.

    A reaction that is refused leaves nothing behind, whatever it had decided before.
    """

    def __init__(self, app: ContextApplication) -> None:
        self.app = app
        self.at: datetime
        self.origin: Origin
        self._streams: dict[UUID, Sequence[Change]] = {}
        self._aggregates: dict[UUID, Aggregate] = {}
        self._entries: dict[_Key, DirectoryEntry | None] = {}
        self._remembered: dict[_Key, DirectoryEntry] = {}
        self._timers: dict[UUID, Timer] = {}
        self._forgotten: dict[UUID, None] = {}
        self._touched: set[UUID] = set()
        self._new_entries: dict[_Key, DirectoryEntry] = {}
        self._new_timers: dict[UUID, Timer] = {}

    # --- for reactions ---

    def load(self, kind: type[A], id: UUID) -> A:
        """The aggregate as this batch has left it. Raises NotFound, which means no effect."""
        found = self.find(kind, id)
        if found is None or not found.begun:
            raise NotFound(kind.__name__, id)
        return found

    def find(self, kind: type[A], id: UUID) -> A | None:
        """The aggregate, or None where there is none yet; not `begun` where nothing is left."""
        known = self._aggregates.get(id)
        if known is None:
            known = self._stored(kind, id)
        if not isinstance(known, kind):
            return None
        self._aggregates[id] = known
        self._touched.add(id)
        return known

    def add(self, aggregate: Aggregate) -> None:
        """A new aggregate to be saved with the batch."""
        self._aggregates[aggregate.id] = aggregate
        self._touched.add(aggregate.id)

    def remember(self, entry: DirectoryEntry) -> None:
        """Keep what this context needs to know of somebody else's thing."""
        self._new_entries[entry.kind, entry.id] = entry

    def remembered(self, kind: str, id: UUID) -> DirectoryEntry | None:
        """The directory as this batch has left it."""
        key = (kind, id)
        fresh = self._new_entries.get(key) or self._remembered.get(key)
        if fresh is not None:
            return fresh
        if key not in self._entries:
            self._entries[key] = self.app.recorder.directory(kind, [id]).get(id)
        return self._entries[key]

    def schedule(self, timer: Timer) -> None:
        """Set a durable timer, saved with the batch."""
        self._new_timers[timer.id] = timer

    def forget(self, subject: UUID) -> None:
        """Blank what is kept beside the events of an erased subject; harmless to repeat."""
        self._forgotten[subject] = None

    # --- for whoever runs them ---

    def prefetch(self, ids: Iterable[UUID]) -> None:
        """Read the streams of many aggregates at once, and note those that are absent."""
        missing = [id for id in ids if id not in self._streams]
        if missing:
            found = dict(self.app.events.streams(missing))
            self._streams.update({id: found.get(id, ()) for id in missing})

    def begin(self, envelope: Envelope) -> None:
        """What follows is decided because of this event."""
        self.at, self.origin = envelope.occurred_at, envelope.origin
        self._touched.clear()
        self._new_entries.clear()
        self._new_timers.clear()

    def keep(self, cause: Callable[[], Cause]) -> None:
        """The reaction is done: what it decided is kept, under a cause made where it is needed."""
        decided = [a for a in self._of_this_event() if _undone(a)]
        if decided:
            because = cause()
            for aggregate in decided:
                aggregate.attribute(because)
        self._remembered.update(self._new_entries)
        self._timers.update(self._new_timers)

    def undo(self) -> None:
        """The reaction was refused: everything is as if it had never run."""
        for aggregate in [a for a in self._of_this_event() if _undone(a) or not a.version]:
            earlier = [change for change in aggregate.pending if change.cause is not None]
            stored = self._stream(aggregate.id)
            if stored or earlier:
                kind = type(aggregate)
                again = kind.from_history(aggregate.id, stored, earlier)
                self._aggregates[aggregate.id] = again
            else:
                del self._aggregates[aggregate.id]

    def decided(self) -> tuple[list[Aggregate], Beside]:
        """What changed, and what is kept beside it."""
        changed = [a for a in self._aggregates.values() if a.pending]
        directory, timers = tuple(self._remembered.values()), tuple(self._timers.values())
        forgotten = tuple(self._forgotten)
        return changed, Beside(directory=directory, timers=timers, forgotten=forgotten)

    def _of_this_event(self) -> list[Aggregate]:
        return [self._aggregates[id] for id in self._touched]

    def _stored(self, kind: type[A], id: UUID) -> A | None:
        changes = self._stream(id)
        if not changes or not kind.begins_with(changes[0]):
            return None
        return kind.from_history(id, changes)

    def _stream(self, id: UUID) -> Sequence[Change]:
        self.prefetch([id])
        return self._streams[id]


def _undone(aggregate: Aggregate) -> bool:
    """Whether the reaction at work has decided something here; causes are given afterwards."""
    return bool(aggregate.pending) and aggregate.pending[-1].cause is None


Reaction = Callable[[Session, Envelope, Any], None]
Wanted = Callable[[Envelope, Any], Iterable[UUID | None]]


@dataclass(frozen=True)
class Reactions:
    """A context's reactions on one screen. `name` is a permanent identity: its positions' key.

    `prefetch` answers the ids of the aggregates that the reaction to an event will look up, None
    among them being passed over; those of a whole batch are then read at once.
    """

    name: str
    table: Mapping[type[Event], Reaction]
    prefetch: Mapping[type[Event], Wanted] = field(default_factory=dict)

    @property
    def contexts(self) -> tuple[str, ...]:
        """The contexts whose events are reacted to."""
        return tuple(sorted({context_of(event.TYPE) for event in self.table}))

    def tracking_name(self, lane: Lane) -> str:
        return f"{self.name}:{lane.context}-{lane.partition}"
