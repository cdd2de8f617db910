"""One event, and what belongs to one correlation: what a tree of causes is put together from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from crm_events.application import ContextApplication, Position
from crm_events.codec import Codec, Slot
from crm_events.envelope import Envelope
from crm_events.store.threads import Correlated
from crm_events.telling import Told, record_of
from fastapi import Query
from pydantic import BaseModel, Field

from crm_service.problems import RequestRefused
from crm_service.routing import Router

MOST_EVENTS: Final = 1_000
MOST_CAUSES: Final = 100
After = Annotated[int, Query(ge=0, description="Events beyond this sequence")]
Limit = Annotated[int, Query(ge=1, le=MOST_EVENTS)]
CausedBy = Annotated[
    list[UUID] | None,
    Query(max_length=MOST_CAUSES, description="Only what these events caused; repeatable."),
]
Command = Annotated[UUID | None, Query(description="Only the events of this command")]


class EventOut(BaseModel):
    """An event with all that its envelope tells of it. `says` are its fields that have a value;
    personal ones of an erased subject have none."""

    event: str
    type: str
    id: UUID
    context: str
    aggregate_id: UUID
    version: int
    position: str
    occurred_at: datetime
    recorded_at: datetime
    actor: str
    origin: str
    correlation_id: UUID
    causation_id: UUID | None
    command_id: UUID
    supersedes: UUID | None
    says: dict[str, Any]


class CorrelatedOut(BaseModel):
    """Events in the order of the log; `next` is where the next page begins, null on the last."""

    events: list[EventOut]
    next: int | None = Field(description="The sequence to send as `after`")


def causes_router(app: ContextApplication, codec: Codec) -> Router:
    """`GET /v1/<context>/events/{id}` and `GET /v1/<context>/correlations/{id}`."""
    router = Router(prefix=f"/v1/{app.context}", tags=["causes"])

    @router.get("/events/{id}")
    def read_event(id: UUID) -> EventOut:
        envelope = app.recorder.find_event(id)
        if envelope is None:
            raise RequestRefused("not-found", f"{app.context} has no event {id}.")
        return _events(codec, [envelope])[0]

    @router.get("/correlations/{id}")
    def read_correlation(
        id: UUID,
        after: After = 0,
        limit: Limit = 200,
        caused_by: CausedBy = None,
        command: Command = None,
    ) -> CorrelatedOut:
        wanted = Correlated(id, tuple(caused_by or ()), command)
        found = app.recorder.read_correlation(wanted, after, limit)
        more = found[-1].sequence if len(found) == limit else None
        return CorrelatedOut(events=_events(codec, found), next=more)

    return router


def _events(codec: Codec, envelopes: Iterable[Envelope]) -> list[EventOut]:
    envelopes = list(envelopes)
    codec.prepare(envelope.data for envelope in envelopes)
    return [_out(codec, envelope) for envelope in envelopes]


def _out(codec: Codec, envelope: Envelope) -> EventOut:
    slot = Slot(envelope.type, envelope.aggregate_id, envelope.aggregate_version)
    event = codec.decode(envelope.data, slot)
    return EventOut(
        event=type(event).__name__,
        type=envelope.type,
        id=envelope.id,
        context=envelope.context,
        aggregate_id=envelope.aggregate_id,
        version=envelope.aggregate_version,
        position=str(Position(envelope.context, envelope.partition, envelope.sequence)),
        occurred_at=envelope.occurred_at,
        recorded_at=envelope.recorded_at,
        actor=envelope.actor,
        origin=envelope.origin,
        correlation_id=envelope.correlation_id,
        causation_id=envelope.causation_id,
        command_id=envelope.command_id,
        supersedes=envelope.supersedes,
        says=dict(record_of([Told(envelope, event)])),
    )
