"""`GET /v1/<context>/subjects/{id}`: what a context holds of one subject, and all that it knows.

Both ask for the right `admin`. What is decrypted for somebody is logged, with who it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import structlog
from crm_events.application import ContextApplication
from crm_events.catalogue import UnknownEventType
from crm_events.codec import Codec, Slot, UndecodableEvent
from crm_events.envelope import Envelope
from crm_events.holding import Held, bytes_digest, held
from crm_events.sealing import subjects_named
from fastapi import Depends, Query
from pydantic import BaseModel, Field

from crm_service.exchange import Caller, Needs
from crm_service.routing import Router

_PAGE: Final = 1_000
_log = structlog.get_logger("crm.erasing")
Upto = Annotated[int | None, Query(ge=0, description="Later events are not looked at")]


class HeldEventOut(BaseModel):
    """Which fields of an event belong to the subject; `plain` ones no erasure reaches."""

    version: int
    event_id: UUID
    type: str
    sealed: tuple[str, ...]
    plain: tuple[str, ...]


class HeldStreamOut(BaseModel):
    """A thing whose events name the subject. `subjects` are all whose values it holds or names."""

    id: UUID
    begins_with: str
    subjects: list[UUID]
    events: list[HeldEventOut]


class HoldingOut(BaseModel):
    """The digest is over all stored events of the streams, up to `sequence`."""

    subject: UUID
    context: str
    sequence: int
    streams: list[HeldStreamOut]
    events: int
    digest: str
    legible: int = Field(description="Sealed fields of the subject that a key can open now")


class KnownEventOut(BaseModel):
    """One event that tells of the subject; `data` has its fields, null where they are erased."""

    context: str
    thing: UUID
    version: int
    event_id: UUID
    type: str
    occurred_at: datetime
    recorded_at: datetime
    actor: str
    data: dict[str, Any]


class KnownOut(BaseModel):
    subject: UUID
    context: str
    sequence: int
    events: list[KnownEventOut]


def subjects_router(app: ContextApplication, codec: Codec) -> Router:
    """What one subject has to do with a context."""
    needs = [Depends(Needs("admin"))]
    router = Router(prefix=f"/v1/{app.context}/subjects", tags=["erasure"], dependencies=needs)

    @router.get("/{id}")
    def read_holding(id: UUID, upto: Upto = None) -> HoldingOut:
        upto = app.recorder.safe_position() if upto is None else upto
        return _holding(app, codec, id, upto)

    @router.get("/{id}/events")
    def export_subject(id: UUID, caller: Caller) -> KnownOut:
        upto = app.recorder.safe_position()
        envelopes = [each for stream in _streams(app, id, upto) for each in stream]
        codec.prepare(each.data for each in envelopes)
        events = [_known(codec, each) for each in sorted(envelopes, key=lambda e: e.sequence)]
        _log.info("subject_disclosed", subject=str(id), actor=caller.id, count=len(events))
        return KnownOut(subject=id, context=app.context, sequence=upto, events=events)

    return router


def _holding(app: ContextApplication, codec: Codec, id: UUID, upto: int) -> HoldingOut:
    streams = _streams(app, id, upto)
    every = [[held(envelope) for envelope in stream] for stream in streams]
    sealed = sum(len(each.sealed.get(id, ())) for stream in every for each in stream)
    return HoldingOut(
        subject=id,
        context=app.context,
        sequence=upto,
        streams=[_stream(stream, id) for stream in every],
        events=sum(map(len, streams)),
        digest=bytes_digest(envelope for stream in streams for envelope in stream),
        legible=sealed if codec.opens(id) else 0,
    )


def _streams(app: ContextApplication, id: UUID, upto: int) -> list[list[Envelope]]:
    """The events of every thing that names the subject, up to a position."""
    streams = (_stream_of(app, thing, upto) for thing in app.recorder.streams_of(id))
    return [stream for stream in streams if stream]


def _stream_of(app: ContextApplication, thing: UUID, upto: int) -> list[Envelope]:
    found: list[Envelope] = []
    while page := app.recorder.read_stream(thing, len(found), _PAGE):
        found += page
        if len(page) < _PAGE:
            break
    return [envelope for envelope in found if envelope.sequence <= upto]


def _stream(stream: Sequence[Held], subject: UUID) -> HeldStreamOut:
    whose = {each for event in stream for each in (*event.subjects, *_named(event.envelope))}
    first = stream[0].envelope
    return HeldStreamOut(
        id=first.aggregate_id,
        begins_with=first.type,
        subjects=sorted(whose),
        events=[_event(event, subject) for event in stream if subject in event.subjects],
    )


def _named(envelope: Envelope) -> list[UUID]:
    return [UUID(bytes=subject) for subject in subjects_named(envelope.data)]


def _event(event: Held, subject: UUID) -> HeldEventOut:
    return HeldEventOut(
        version=event.envelope.aggregate_version,
        event_id=event.envelope.id,
        type=event.envelope.type,
        sealed=event.sealed.get(subject, ()),
        plain=event.plain.get(subject, ()),
    )


def _known(codec: Codec, envelope: Envelope) -> KnownEventOut:
    return KnownEventOut(
        context=envelope.context,
        thing=envelope.aggregate_id,
        version=envelope.aggregate_version,
        event_id=envelope.id,
        type=envelope.type,
        occurred_at=envelope.occurred_at,
        recorded_at=envelope.recorded_at,
        actor=envelope.actor,
        data=_data(codec, envelope),
    )


def _data(codec: Codec, envelope: Envelope) -> dict[str, Any]:
    slot = Slot(envelope.type, envelope.aggregate_id, envelope.aggregate_version)
    try:
        return codec.decode(envelope.data, slot).model_dump(mode="json")
    except (UndecodableEvent, UnknownEventType) as error:
        return {"undecodable": str(error)}
