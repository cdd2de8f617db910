"""What is written together and what may be asked of a store; both adapters pass one test suite."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from eventsourcing.persistence import IntegrityError, ProcessRecorder, StoredEvent, Tracking

from crm_events.envelope import Envelope, Origin
from crm_events.store.granted import IdentifiedEvent, LastEvent
from crm_events.store.threads import Threads


@dataclass(frozen=True)
class NewEvent(IdentifiedEvent):
    """A stored event with its envelope; position and recorded time are given by the store."""

    occurred_at: datetime | None
    partition: int
    correlation_id: UUID
    causation_id: UUID | None
    command_id: UUID
    actor: str
    origin: Origin
    supersedes: UUID | None
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """What a repeated Idempotency-Key is answered with; `answer` holds ids, no personal values."""

    command_id: UUID
    fingerprint: bytes
    aggregate_id: UUID
    version: int
    partition: int
    answer: bytes
    sequence: int = 0
    """The last position the command wrote; filled in by the store."""


@dataclass(frozen=True, slots=True)
class Timer:
    """A command due later. `id` becomes its command id, so that it fires once."""

    id: UUID
    name: str
    aggregate_id: UUID
    due_at: datetime


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """What a context remembers of a thing another context owns, or an index over its own.

    `name_key` is a keyed hash of the folded name (see `crm_events.names`), never the name.
    """

    kind: str
    id: UUID
    name_key: bytes | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """The hash of the row an imported thing was last made from."""

    id: UUID
    row_hash: bytes


@dataclass(frozen=True, slots=True)
class Beside:
    """All that commits in the same transaction as the events, or not at all."""

    command: CommandEntry | None = None
    tracking: tuple[Tracking, ...] = ()
    timers: tuple[Timer, ...] = ()
    timers_done: tuple[UUID, ...] = ()
    directory: tuple[DirectoryEntry, ...] = ()
    imported: tuple[ImportedRow, ...] = ()
    forgotten: tuple[UUID, ...] = ()  # erased subjects: hashes of what was said of them go
    rests_on: tuple[LastEvent, ...] = ()  # what must still be so


@dataclass(frozen=True, slots=True)
class LogPage:
    """Events in log order, complete up to `safe_to`: no event at or below it can appear later.

    `safe_to` may lie beyond the last event of the page (positions burned by lost races).
    """

    envelopes: Sequence[Envelope]
    safe_to: int


@dataclass(frozen=True, slots=True)
class Mark:
    """`known_at` of a time is the last mark at or before it: a prefix of the log, for ever."""

    at: datetime
    safe_to: int


class VersionConflict(IntegrityError):
    """Another command changed the aggregate first. `current` is its version now."""

    def __init__(self, aggregate_id: UUID, current: int) -> None:
        super().__init__(f"{aggregate_id} is at version {current} now")
        self.aggregate_id = aggregate_id
        self.current = current


class CommandRepeated(IntegrityError):
    """The command id is taken; `entry` is what it did the first time."""

    def __init__(self, entry: CommandEntry) -> None:
        super().__init__(f"command {entry.command_id} has been done")
        self.entry = entry


class AlreadyTracked(IntegrityError):
    """The position of a reaction was recorded before: this is a redelivery or a zombie."""


class StoreUnavailable(Exception):
    """The database cannot be reached or does not answer in time; nothing is known to be written
    unless the command id is found later."""


@dataclass(frozen=True, slots=True)
class RelayState:
    """How far the relay has published, and the last sequence it wrote to each partition."""

    position: int = 0
    epoch: int = 0
    last_in_partition: Mapping[int, int] = field(default_factory=dict)


class EventRecorder(ProcessRecorder, Threads):
    """The library's recorder, widened by what commits beside the events and by safe reading."""

    @abstractmethod
    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Append atomically; keyword `beside: Beside`, and the library's `tracking`.

        Answers the position of every event. Raises VersionConflict, CommandRepeated, Overtaken,
        AlreadyTracked, StoreUnavailable. Thread-safe; concurrent calls share transactions.
        """

    @abstractmethod
    def select_streams(self, ids: Iterable[UUID]) -> Mapping[UUID, Sequence[IdentifiedEvent]]:
        """The events of many aggregates at once, each in order; absent ids are left out."""

    @abstractmethod
    def read_stream(self, aggregate_id: UUID, after: int, limit: int) -> Sequence[Envelope]:
        """Envelopes of one aggregate with version > `after`, in order; no `prevsequence`."""

    @abstractmethod
    def streams_of(self, subject: UUID) -> Sequence[UUID]:
        """The aggregates, itself among them, whose events name this person or customer."""

    @abstractmethod
    def read_log(self, after: int, limit: int) -> LogPage:
        """Envelopes with sequence > `after`, in order, none past a position still being written."""

    @abstractmethod
    def safe_position(self) -> int:
        """The highest position up to which the log is complete."""

    @abstractmethod
    def last_in_partitions(self, upto: int) -> Mapping[int, int]:
        """For each partition the highest sequence at or below `upto`."""

    @abstractmethod
    def find_command(self, command_id: UUID) -> CommandEntry | None: ...

    @abstractmethod
    def due_timers(self, now: datetime, limit: int) -> Sequence[Timer]: ...

    @abstractmethod
    def next_due(self) -> datetime | None: ...

    @abstractmethod
    def directory(self, kind: str, ids: Iterable[UUID]) -> Mapping[UUID, DirectoryEntry]: ...

    @abstractmethod
    def directory_of(self, kind: str) -> Sequence[DirectoryEntry]: ...

    @abstractmethod
    def directory_by_name(self, kind: str, keys: Iterable[bytes]) -> Mapping[bytes, UUID]: ...

    @abstractmethod
    def directory_saying(
        self, kind: str, data: Iterable[Mapping[str, Any]]
    ) -> Sequence[DirectoryEntry]:
        """The entries of a kind that hold one of these; found by looking at every entry of it."""

    @abstractmethod
    def imported(self, ids: Iterable[UUID]) -> Mapping[UUID, bytes]: ...

    @abstractmethod
    def write_mark(self) -> Mark | None:
        """Record (clock of the database, safe position) when either moved; times only rise."""

    @abstractmethod
    def marks(self, after: datetime | None, limit: int) -> Sequence[Mark]: ...

    @abstractmethod
    def relay_state(self) -> RelayState: ...

    @abstractmethod
    def lead(self) -> RelayState | None:
        """Become the one relay (advisory lock held until `resign`), or None when another leads."""

    @abstractmethod
    def resign(self) -> None: ...

    @abstractmethod
    def advance_relay(self, old: RelayState, new: RelayState) -> bool:
        """Compare-and-set of position under the leader's epoch; False means: step down."""

    @abstractmethod
    def ping(self) -> None: ...  # raises StoreUnavailable

    @abstractmethod
    def schema_current(self) -> bool:
        """Whether the tables are as this program needs them. Raises StoreUnavailable."""

    @abstractmethod
    def close(self) -> None: ...
