"""Parked events over HTTP: look, try again, or leave one out for a stated reason."""

from __future__ import annotations

from typing import Annotated, Final

from crm_service.exchange import Caller
from crm_service.routing import Router
from fastapi import Path, Query

from crm_projections.api.schemas import ParkedOut, ParkedPage, ResolutionOut, SkipBody
from crm_projections.engine.database import Database
from crm_projections.engine.instants import instant
from crm_projections.engine.letters import Parked, Status
from crm_projections.engine.parking import listed
from crm_projections.engine.resolving import Resolution, Resolver
from crm_projections.engine.waiting import Bell

_HIGHEST: Final = 2**63 - 1
Id = Annotated[int, Path(ge=1, le=_HIGHEST)]
Cursor = Annotated[int, Query(ge=0, le=_HIGHEST, description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=500)]
View = Annotated[str | None, Query(max_length=100)]
Wanted = Annotated[Status, Query(description="What has become of the events")]


def parked_router(database: Database, resolver: Resolver, bell: Bell) -> Router:
    router = Router(prefix="/v1/views/parked", tags=["parked"])

    @router.get("")
    def list_parked(
        view: View = None, status: Wanted = "parked", cursor: Cursor = 0, limit: Limit = 100
    ) -> ParkedPage:
        with database.reading() as connection:
            found = listed(connection, view=view, status=status, after=cursor, limit=limit + 1)
        page = found[:limit]
        return ParkedPage(
            parked=[_out(letter) for letter in page],
            next=page[-1].id if len(found) > limit else None,
        )

    @router.post("/{id}:retry")
    def retry_parked(id: Id, caller: Caller) -> ResolutionOut:
        return _resolved(resolver.retry(id, caller.id), bell)

    @router.post("/{id}:skip")
    def skip_parked(id: Id, body: SkipBody, caller: Caller) -> ResolutionOut:
        return _resolved(resolver.skip(id, body.reason, caller.id), bell)

    return router


def _resolved(found: Resolution, bell: Bell) -> ResolutionOut:
    bell.ring()
    return ResolutionOut(
        applied=found.applied, skipped=found.skipped, parked=found.parked, reason=found.reason
    )


def _out(letter: Parked) -> ParkedOut:
    decided_at = instant(letter.decided_at) if letter.decided_at is not None else None
    return ParkedOut(
        id=letter.id,
        view=letter.generation.view,
        context=letter.lane.context,
        partition=letter.lane.partition,
        sequence=letter.sequence,
        aggregate_id=str(letter.aggregate_id) if letter.aggregate_id else None,
        event_id=str(letter.event_id) if letter.event_id else None,
        type=letter.type,
        kind=letter.kind,
        reason=letter.reason,
        attempts=letter.attempts,
        status=letter.status,
        parked_at=instant(letter.parked_at),
        decided_at=decided_at,
        decided_by=letter.decided_by,
        decision=letter.decision,
    )
