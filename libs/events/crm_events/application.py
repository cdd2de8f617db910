"""What the application of every context shares: load, decide, save, answer each command once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import orjson
from eventsourcing.application import Application
from eventsourcing.persistence import EventStore, InfrastructureFactory, Tracking
from eventsourcing.utils import Environment

from crm_events.attempts import Attempt, Attempts
from crm_events.codec import Codec
from crm_events.crashing import crash_point
from crm_events.domain import Aggregate, DomainError
from crm_events.kept import MOST, Kept
from crm_events.keys.port import KeysUnavailable
from crm_events.outcomes import (
    KeyReused,
    LostRace,
    NotFound,
    Outcome,
    Position,
    StaleVersion,
)
from crm_events.partitions import partition_of
from crm_events.store.mapper import Cause, ChangeMapper, ChangeStore
from crm_events.store.port import (
    Beside,
    CommandEntry,
    CommandRepeated,
    EventRecorder,
    NewEvent,
    StoreUnavailable,
    VersionConflict,
)

__all__ = [
    "ContextApplication",
    "KeyReused",
    "LostRace",
    "NotFound",
    "Outcome",
    "Position",
    "Saving",
    "StaleVersion",
]

T = TypeVar("T", bound=Aggregate)


class _Factory(InfrastructureFactory[Any]):
    """The library asks a factory for its parts; ours are handed in ready."""

    def aggregate_recorder(self, purpose: str = "events") -> Any:
        raise NotImplementedError(purpose)

    application_recorder = process_recorder = tracking_recorder = aggregate_recorder  # type: ignore[assignment]


class ContextApplication(Application[UUID]):
    """One context's application: `eventsourcing`'s, over our mapper and recorder."""

    context: ClassVar[str]
    most_kept: ClassVar[int] = MOST

    def __init__(self, recorder: EventRecorder, codec: Codec) -> None:
        self._given_recorder = recorder
        self._codec = codec
        super().__init__(env={})
        self._attempts = Attempts(self.events, Kept(codec.opens_every, self.most_kept))

    recorder: EventRecorder
    events: ChangeStore

    def construct_env(self, name: str, env: Mapping[str, str] | None = None) -> Environment:
        return Environment(name, dict(env or {}))

    def construct_factory(self, env: Environment) -> InfrastructureFactory[Any]:
        return _Factory(env)

    def construct_mapper(self) -> ChangeMapper:
        return ChangeMapper(self._codec)

    def construct_recorder(self) -> EventRecorder:
        return self._given_recorder

    def construct_event_store(self) -> EventStore[UUID]:
        return ChangeStore(self.mapper, self._given_recorder)

    def close(self) -> None:
        """The recorder belongs to whoever made it."""
        self.closing.set()

    # --- loading ---

    def load(self, kind: type[T], id: UUID, *, expected: int | None = None) -> T:
        """One aggregate as it is now. Raises NotFound, and StaleVersion when not at `expected`."""
        aggregate = self._attempts.load(kind, id)
        if aggregate is None or not aggregate.begun:
            raise NotFound(kind.__name__, id)
        if expected is not None and aggregate.version != expected:
            raise StaleVersion(aggregate.version)
        return aggregate

    def load_all(self, kind: type[T], ids: Sequence[UUID]) -> dict[UUID, T]:
        """Those of many aggregates that exist, read at once."""
        return {id_: each for id_, each in self.load_any(kind, ids).items() if each.begun}

    def load_any(self, kind: type[T], ids: Sequence[UUID]) -> dict[UUID, T]:
        """As `load_all`, with those of which nothing is left: they go on at their version when they
        are begun anew."""
        return {
            id_: kind.from_history(id_, changes)
            for id_, changes in self.events.streams(ids)
            if kind.begins_with(changes[0])
        }

    # --- saving ---

    def new_subject(self) -> UUID:
        """An id for somebody new, whose key is made before they are. Raises KeysUnavailable."""
        return self._codec.new_subject()

    def execute(
        self,
        cause: Cause,
        decide: Callable[[], Saving | Aggregate],
        *,
        expected: int | None = None,
        commutes: bool = False,
    ) -> Outcome:
        """Decide and save once for each command id.

        A repeated command is answered as the first time. A lost race is decided again once where
        the command commutes. Raises StaleVersion, LostRace, KeyReused, StoreUnavailable and
        whatever the decision refuses with.
        """
        try:
            return self._try(cause, decide)
        except CommandRepeated as repeated:
            return self._first_answer(repeated.entry, cause)
        except VersionConflict as conflict:
            return self._after_conflict(conflict, cause, decide, expected, commutes)
        except DomainError:
            earlier = self.recorder.find_command(cause.command_id)
            if earlier is None:
                raise
            return self._first_answer(earlier, cause)

    def _after_conflict(
        self,
        conflict: VersionConflict,
        cause: Cause,
        decide: Callable[[], Saving | Aggregate],
        expected: int | None,
        commutes: bool,
    ) -> Outcome:
        earlier = self.recorder.find_command(cause.command_id)
        if earlier is not None:
            return self._first_answer(earlier, cause)
        if commutes and expected is None:
            return self.execute(cause, decide)
        if expected is not None:
            raise StaleVersion(conflict.current) from conflict
        raise LostRace(conflict.current) from conflict

    def _try(self, cause: Cause, decide: Callable[[], Saving | Aggregate]) -> Outcome:
        """On what is kept first. What comes of that may be due to its being out of date, whatever
        is raised; it is decided again then, on what is stored."""
        with self._attempts.one() as attempt:
            try:
                return self._decide_and_save(cause, decide, attempt)
            except (CommandRepeated, StoreUnavailable, KeysUnavailable):
                raise
            except Exception:
                if not attempt.granted:
                    raise
        with self._attempts.one(doubted=attempt.granted) as again:
            return self._decide_and_save(cause, decide, again)

    def _decide_and_save(
        self, cause: Cause, decide: Callable[[], Saving | Aggregate], attempt: Attempt
    ) -> Outcome:
        decided = decide()
        saving = decided if isinstance(decided, Saving) else Saving((decided,))
        first = saving.aggregates[0]
        entry = CommandEntry(
            command_id=cause.command_id,
            fingerprint=cause.fingerprint or b"",
            aggregate_id=first.id,
            version=first.version,
            partition=partition_of(first.id),
            answer=orjson.dumps(dict(saving.result)),
        )
        beside = replace(saving.beside, command=entry, rests_on=attempt.rests_on())
        stored, sequence = self._append(saving.aggregates, cause, beside)
        crash_point("saved")
        self._attempts.keep(attempt, saving.aggregates, stored)
        position = Position(self.context, entry.partition, sequence)
        return Outcome(first.id, first.version, position, saving.result)

    def _first_answer(self, entry: CommandEntry, cause: Cause) -> Outcome:
        """A fingerprint that an erasure has blanked fits every request."""
        known, asked = entry.fingerprint, cause.fingerprint
        if known and asked is not None and known != asked:
            raise KeyReused
        position = Position(self.context, entry.partition, entry.sequence)
        result = orjson.loads(entry.answer)
        return Outcome(entry.aggregate_id, entry.version, position, result, repeated=True)

    def save_all(
        self,
        aggregates: Iterable[Aggregate],
        causes: Mapping[UUID, Cause] | Cause,
        *,
        tracking: Tracking | None = None,
        beside: Beside | None = None,
    ) -> int:
        """Save many aggregates at once, each under its own cause; answers the last position.

        With nothing pending, only what is `beside` (and the tracking) is written.
        Raises VersionConflict, AlreadyTracked, StoreUnavailable: nothing was written then.
        """
        everything = beside or Beside()
        if tracking is not None:
            everything = replace(everything, tracking=(*everything.tracking, tracking))
        return self._append(aggregates, causes, everything)[1]

    def _append(
        self,
        aggregates: Iterable[Aggregate],
        causes: Mapping[UUID, Cause] | Cause,
        beside: Beside,
    ) -> tuple[Sequence[NewEvent], int]:
        """What was stored, and the last position. The library's `save` takes half as long again."""
        changes = [change for aggregate in aggregates for change in aggregate.collect_events()]
        return self.events.append(changes, causes, beside)


@dataclass(frozen=True, slots=True)
class Saving:
    """What a decision leaves to be saved; the first aggregate is what the answer is about."""

    aggregates: tuple[Aggregate, ...]
    result: Mapping[str, Any] = field(default_factory=dict)
    beside: Beside = field(default_factory=Beside)
