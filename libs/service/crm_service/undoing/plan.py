"""What is to be done with one thing so that a correlation's events of it count no longer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from crm_events.catalogue import CATALOGUE
from crm_events.envelope import Envelope

from crm_service.undoing.kinds import Undoable, Undoables

Status = Literal["withdrawn", "restored", "conflict", "in_use", "kept"]
LEFT: Final[frozenset[Status]] = frozenset(("conflict", "in_use"))
"""What somebody has to look at."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One thing, the events to be undone, and what is in their way.

    `withdrawn`: nothing is left of it; `restored`: it is as others had left it before; `conflict`:
    others worked on it since, and it stays; `in_use`: others refer to it, and it stays; `kept`:
    what such a thing says is never undone.
    """

    status: Status
    stream: Sequence[Envelope]
    undone: Sequence[Envelope]
    versions: tuple[int, ...]
    later: Sequence[Envelope]
    kind: Undoable[Any] | None

    @property
    def id(self) -> UUID:
        return self.stream[0].aggregate_id

    @property
    def does(self) -> bool:
        return self.status not in LEFT and self.kind is not None


def plan_for(
    stream: Sequence[Envelope], correlation: UUID, kinds: Undoables, in_use: frozenset[UUID]
) -> Plan | None:
    """None where nothing of the correlation counts any more.

    A record that an earlier undo said once more stands and falls with what it repeats.
    """
    gone = set(kinds.withdrawn(stream))
    undos = {each.command_id for each in stream if each.type in kinds.withdrawals}
    counting = [
        each
        for each in stream
        if each.aggregate_version not in gone and each.type not in kinds.withdrawals
    ]
    undone = [each for each in counting if each.correlation_id == correlation]
    if not undone:
        return None
    others = [e for e in counting if e.correlation_id != correlation and e.command_id not in undos]
    later = [e for e in others if e.aggregate_version > undone[0].aggregate_version]
    kind = kinds.of(stream)
    status = _status(kind, others, later, stream[0].aggregate_id in in_use)
    which = undone if others else counting
    versions = tuple(each.aggregate_version for each in which)
    return Plan(status, stream, undone, versions, later, kind)


def _status(
    kind: Undoable[Any] | None,
    others: Sequence[Envelope],
    later: Sequence[Envelope],
    in_use: bool,
) -> Status:
    if kind is None:
        return "kept"
    if later:
        return "conflict"
    if others:
        return "restored"
    return "in_use" if in_use else "withdrawn"


def name_of(stored_type: str) -> str:
    """`DealOpened`, for what is stored as `crm.pipeline.DealOpened.v1`."""
    known = CATALOGUE.get(stored_type)
    return known.__name__ if known else stored_type.split(".")[2]
