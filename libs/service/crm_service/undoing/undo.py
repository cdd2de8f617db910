"""A page of one correlation undone: the newest things first, each as a whole, all in one save."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar, Final
from uuid import UUID, uuid5

from crm_events.application import ContextApplication, LostRace
from crm_events.domain import Aggregate, DomainError
from crm_events.envelope import Envelope
from crm_events.store.mapper import Cause
from crm_events.store.port import Beside, DirectoryEntry, ImportedRow, VersionConflict

from crm_service.importing.dates import dates_entry
from crm_service.importing.rows import row_ids
from crm_service.names import NameIndex
from crm_service.undoing.kinds import Undoables
from crm_service.undoing.plan import Plan, plan_for

_ATTEMPTS: Final = 3


class UndoUndone(DomainError):
    """An undo is not undone: what it withdrew is brought in again."""

    slug: ClassVar[str] = "undo-undone"

    def __init__(self, correlation: UUID) -> None:
        super().__init__(
            f"{correlation} is itself an undo; import the file again to bring its rows back."
        )


@dataclass(slots=True)
class Undo:
    """The undoing of one correlation in one context, by one request."""

    app: ContextApplication
    names: NameIndex
    kinds: Undoables
    correlation: UUID
    cause: Cause
    in_use: frozenset[UUID] = frozenset()
    sequence: int = field(default=0, init=False)

    def plans(self, before: int | None, limit: int) -> tuple[list[Plan], int | None]:
        """What would be done with the things of the next events before a sequence, and where the
        page after begins. A thing is on the page of its newest event.

        Raises UndoUndone.
        """
        page = self.app.recorder.read_correlation_back(self.correlation, before, limit)
        if any(envelope.type in self.kinds.withdrawals for envelope in page):
            raise UndoUndone(self.correlation)
        ids = list(dict.fromkeys(envelope.aggregate_id for envelope in page))
        after = page[-1].sequence if len(page) == limit else None
        return list(self._planned(ids, before)), after

    def _planned(self, ids: Sequence[UUID], before: int | None) -> Iterator[Plan]:
        streams = self.app.recorder.read_streams(ids)
        for id in ids:
            newest = max(e.sequence for e in streams[id] if e.correlation_id == self.correlation)
            if before is None or newest < before:
                plan = plan_for(streams[id], self.correlation, self.kinds, self.in_use)
                if plan is not None:
                    yield plan

    def carry_out(self, plans: Sequence[Plan]) -> None:
        """All at once, or one by one where somebody else writes too. Raises LostRace."""
        doing = [plan for plan in plans if plan.does]
        try:
            self._save(doing)
        except VersionConflict:
            for plan in doing:
                self._alone(plan.id)

    def _alone(self, id: UUID) -> None:
        for _ in range(_ATTEMPTS):
            plans = list(self._planned([id], None))
            try:
                return self._save([plan for plan in plans if plan.does])
            except VersionConflict as conflict:
                lost = LostRace(conflict.current)
        raise lost

    def _save(self, plans: Sequence[Plan]) -> None:
        if not plans:
            return
        things = [self._withdrawn(plan) for plan in plans]
        causes = {plan.id: self._cause(plan) for plan in plans}
        beside = Beside(
            imported=tuple(self._forgotten_rows(plans)),
            directory=tuple(self._entries(plans)),
        )
        self.sequence = max(self.sequence, self.app.save_all(things, causes, beside=beside))

    def _cause(self, plan: Plan) -> Cause:
        last = plan.stream[-1].aggregate_version
        return replace(
            self.cause,
            command_id=uuid5(plan.id, f"undo:{self.correlation}:{last}"),
            at=_beginning(plan.undone),
        )

    def _withdrawn(self, plan: Plan) -> Aggregate:
        kind = plan.kind
        if kind is None:
            raise LookupError(f"{plan.id} is of no kind that can be undone")
        thing: Aggregate = kind.aggregate(plan.id)
        thing.version = plan.stream[-1].aggregate_version
        event = kind.withdrawal(
            versions=plan.versions, undoes=self.correlation, gone=plan.status == "withdrawn"
        )
        at = _beginning(plan.undone)
        thing.record(event, at=at, supersedes=plan.undone[0].id)
        if plan.status == "restored" and kind.restate is not None and kind.facts_of is not None:
            was, now = self._made_of(plan, plan.versions), self._made_of(plan, ())
            if kind.facts_of(now) != kind.facts_of(was):
                kind.restate(thing, was, at)
        return thing

    def _made_of(self, plan: Plan, without: tuple[int, ...]) -> Any:
        """The thing as its events leave it, without some of them."""
        if plan.kind is None:
            raise LookupError(f"{plan.id} is of no kind that can be undone")
        changes = dict(self.app.events.streams([plan.id]))[plan.id]
        kept = [change for change in changes if change.originator_version not in without]
        return plan.kind.aggregate.from_history(plan.id, kept)

    # --- what is remembered beside the events ---

    def _forgotten_rows(self, plans: Sequence[Plan]) -> Iterator[ImportedRow]:
        """The same file is to bring its rows in again: their content counts as never seen."""
        ids = row_ids(self.app.recorder, [plan.id for plan in plans])
        for row_id in self.app.recorder.imported(ids):
            yield ImportedRow(row_id, uuid5(row_id, f"undo:{self.cause.correlation_id}").bytes)

    def _entries(self, plans: Iterable[Plan]) -> Iterator[DirectoryEntry]:
        for plan in plans:
            kind = plan.kind
            if kind is None:
                continue
            gone = plan.status == "withdrawn"
            if gone:
                yield dates_entry(plan.id, {})
            if kind.name_of is not None:
                name = None if gone else kind.name_of(self._made_of(plan, plan.versions))
                yield self.names.entry(kind.kind, plan.id, name)


def _beginning(undone: Sequence[Envelope]) -> datetime:
    return min(envelope.occurred_at for envelope in undone)
