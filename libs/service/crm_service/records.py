"""`GET /v1/<context>/history/{id}`: who changed one thing, when, from what to what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from crm_events.application import ContextApplication, Position
from crm_events.codec import Codec, Slot
from crm_events.envelope import Envelope
from crm_events.telling import Step, Told, record_of, seen, steps
from fastapi import Query
from pydantic import BaseModel, Field

from crm_service.problems import RequestRefused
from crm_service.routing import Router
from crm_service.schemas import Instant

MOST_EVENTS: Final = 10_000
"""Of one thing; where it has more, nothing is answered rather than a part."""
AsOf = Annotated[Instant | None, Query(description="Effects after this are not seen")]
KnownAt = Annotated[Instant | None, Query(description="What was recorded later is not seen")]


class ChangeOut(BaseModel):
    """`before` and `after` are null where there is no value, or an erased one."""

    field: str
    before: Any
    after: Any


class StepOut(BaseModel):
    """One event: what happened, who did it and why, and the fields it changed."""

    event: str
    event_id: UUID
    version: int
    occurred_at: datetime
    recorded_at: datetime
    actor: str
    origin: str
    position: str
    correlation_id: UUID
    causation_id: UUID | None
    command_id: UUID
    supersedes: UUID | None
    changes: list[ChangeOut]


class HistoryOut(BaseModel):
    """A thing's events in the order of their effect, and its record after them."""

    id: UUID
    version: int = Field(description="Of its last event of all, seen or not")
    record: dict[str, Any]
    events: list[StepOut]


def history_router(app: ContextApplication, codec: Codec) -> Router:
    """The history of any one thing of a context, at any two times."""
    router = Router(prefix=f"/v1/{app.context}", tags=["history"])

    @router.get("/history/{id}")
    def read_history(id: UUID, as_of: AsOf = None, known_at: KnownAt = None) -> HistoryOut:
        whole = _told(app, codec, id)
        history = seen(whole, as_of, known_at)
        return HistoryOut(
            id=id,
            version=whole[-1].envelope.aggregate_version,
            record=dict(record_of(history)),
            events=[_out(step) for step in steps(history)],
        )

    return router


def _told(app: ContextApplication, codec: Codec, id: UUID) -> Sequence[Told]:
    """All events of one thing, decoded. Raises RequestRefused (404, 422)."""
    envelopes = app.recorder.read_stream(id, 0, MOST_EVENTS + 1)
    if not envelopes:
        raise RequestRefused("not-found", f"{app.context} has no record {id}.")
    if len(envelopes) > MOST_EVENTS:
        detail = f"It has more than {MOST_EVENTS} events; read them from the log."
        raise RequestRefused("malformed-request", detail)
    codec.prepare(envelope.data for envelope in envelopes)
    return [Told(envelope, codec.decode(envelope.data, _slot(envelope))) for envelope in envelopes]


def _slot(envelope: Envelope) -> Slot:
    return Slot(envelope.type, envelope.aggregate_id, envelope.aggregate_version)


def _out(step: Step) -> StepOut:
    envelope = step.envelope
    return StepOut(
        event=type(step.event).__name__,
        event_id=envelope.id,
        version=envelope.aggregate_version,
        position=str(Position(envelope.context, envelope.partition, envelope.sequence)),
        changes=[ChangeOut(**change._asdict()) for change in step.changes],
        **_of(envelope),
    )


def _of(envelope: Envelope) -> Mapping[str, Any]:
    names = ("occurred_at", "recorded_at", "actor", "origin")
    causes = ("correlation_id", "causation_id", "command_id", "supersedes")
    return {name: getattr(envelope, name) for name in (*names, *causes)}
