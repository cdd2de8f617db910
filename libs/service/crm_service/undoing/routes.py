"""`POST /v1/<context>/undo` and what is asked before: who refers to things that would be gone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from crm_events.application import ContextApplication
from crm_events.envelope import Envelope
from crm_events.store.mapper import Cause
from pydantic import BaseModel, Field

from crm_service.commands import CommandCause
from crm_service.context import Head
from crm_service.names import NameIndex
from crm_service.routing import MIB, Router, body_limit, reads_only
from crm_service.schemas import Body
from crm_service.undoing.kinds import Undoable, Undoables
from crm_service.undoing.plan import Plan, Status, name_of
from crm_service.undoing.references import References
from crm_service.undoing.undo import Undo

MOST_EVENTS: Final = 1_000
MOST_IDS: Final = 200_000
_SCANNED: Final = 100_000
_LIMIT: Final = 16 * MIB
_IN_THE_WAY: Final = 20
Ids = Annotated[
    frozenset[UUID],
    Field(max_length=MOST_IDS, json_schema_extra=lambda said: said.pop("uniqueItems", None)),
]
"""Named twice is as good as once, so the schema does not ask for each but once."""


class UndoIn(Body):
    """What to undo: the next page of a correlation's events, the newest first. A dry run says what
    would be done. Things that are `in_use` stay."""

    correlation: UUID
    dry_run: bool = False
    before: int | None = Field(default=None, ge=1, description="As `next` of the page before")
    limit: int = Field(default=MOST_EVENTS, ge=1, le=MOST_EVENTS, description="Events looked at")
    in_use: Ids = frozenset()


class LaterOut(BaseModel):
    """What others did with a thing since."""

    event: str
    id: UUID
    occurred_at: datetime
    actor: str
    correlation_id: UUID


class PlanOut(BaseModel):
    """One thing: the events that are undone, what is done for it, or why it stays."""

    kind: str
    id: UUID
    status: Status
    events: list[str]
    does: str | None = Field(description="The event that is written; null where it stays")
    later: list[LaterOut]


class UndoOut(BaseModel):
    """The things of one page; `next` is null on the last."""

    things: list[PlanOut]
    next: int | None
    position: Head


class ReferencesIn(Body):
    """Things of which an undo would leave nothing, and what it leaves as it is. With `own` only
    the correlation's own events are looked at, found by an index: enough when all others have been,
    and more is left."""

    correlation: UUID
    own: bool = False
    ids: Ids
    left: Ids = frozenset()
    after: int = Field(default=0, ge=0)


class ReferencesOut(BaseModel):
    """Those that events refer to which stay; `next` is null where the log ends."""

    used: list[UUID]
    next: int | None


def undo_router(app: ContextApplication, secret: bytes, kinds: Iterable[Undoable[Any]]) -> Router:
    """`POST /v1/<context>/undo` and `POST /v1/<context>/references`."""
    router = Router(prefix=f"/v1/{app.context}", tags=["undo"])
    undoables, names = Undoables(kinds), NameIndex(app.recorder, secret)

    @router.post("/undo")
    @body_limit(_LIMIT)
    def undo(body: UndoIn, cause: CommandCause) -> UndoOut:
        undo = Undo(app, names, undoables, body.correlation, _alone(cause), body.in_use)
        plans, after = undo.plans(body.before, body.limit)
        if not body.dry_run:
            undo.carry_out(plans)
        sequence = max(undo.sequence, app.recorder.safe_position())
        head = Head(context=app.context, sequence=sequence)
        return UndoOut(things=[_out(plan) for plan in plans], next=after, position=head)

    @router.post("/references")
    @reads_only
    @body_limit(_LIMIT)
    def references(body: ReferencesIn) -> ReferencesOut:
        asked = References(app.recorder, undoables, body.correlation, body.ids, body.left, body.own)
        used, after = asked.used(body.after, _SCANNED)
        return ReferencesOut(used=sorted(used), next=after)

    return router


def _alone(cause: Cause) -> Cause:
    """Each thing has a command of its own; what is undone says itself that it is."""
    return Cause(
        command_id=cause.command_id,
        correlation_id=cause.correlation_id,
        causation_id=None,
        actor=cause.actor,
        origin="live",
        at=cause.at,
        traceparent=cause.traceparent,
    )


def _out(plan: Plan) -> PlanOut:
    does = plan.kind.withdrawal.__name__ if plan.does and plan.kind is not None else None
    return PlanOut(
        kind=plan.kind.kind if plan.kind is not None else name_of(plan.stream[0].type),
        id=plan.id,
        status=plan.status,
        events=[name_of(each.type) for each in plan.undone],
        does=does,
        later=[_later(each) for each in plan.later[:_IN_THE_WAY]],
    )


def _later(envelope: Envelope) -> LaterOut:
    return LaterOut(
        event=name_of(envelope.type),
        id=envelope.id,
        occurred_at=envelope.occurred_at,
        actor=envelope.actor,
        correlation_id=envelope.correlation_id,
    )
