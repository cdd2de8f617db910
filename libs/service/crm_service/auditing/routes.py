"""`/v1/<context>/audit`: how far a log is sealed, sealing it now, checking it, proving an event."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final
from uuid import UUID

from crm_events.audit.finding import NoState, Reached, read_reached
from crm_events.audit.growth import prove_growth
from crm_events.audit.keyfile import public_pem
from crm_events.audit.proving import prove
from crm_events.audit.verifying import Part, check_part
from fastapi import Query
from pydantic import BaseModel, Field

from crm_service.auditing.desk import AuditDesk
from crm_service.auditing.sealing import seal
from crm_service.problems import RequestRefused
from crm_service.routing import Router

MOST_EVENTS: Final = 200_000
"""In one part of a check: about a second's work."""
MOST_POSITION: Final = 2**62
Size = Annotated[int, Query(ge=0, le=MOST_POSITION, description="That of a signed checkpoint")]
_SIZES: Final = re.compile(r"\d{1,15}(,\d{1,15}){0,500}", re.ASCII)


class StandingOut(BaseModel):
    """How far a context's log is sealed, and who signs. `staying` is how many checkpoints have not
    left, counted up to 1,000."""

    context: str
    origin: str
    sealed: int = Field(description="Events under the tree")
    position: int = Field(description="That of the last of them")
    safe: int = Field(description="Position up to which the log is complete")
    checkpoints: int
    checkpoint: str | None = Field(description="The last one: a C2SP checkpoint in a signed note")
    outside: bool = Field(description="Whether checkpoints are brought out of the database")
    staying: int
    keys: list[str] = Field(description="Whose signatures are believed, the signer first")
    pem: list[str]


class SealingOut(StandingOut):
    """A call seals for about a second. Ask again with `upto` = `wanted` until `position` is there;
    the first call, without `upto`, wants all that is stored."""

    wanted: int


class WrongOut(BaseModel):
    """The first bad position; `upto` is the last that may be it, where that cannot be told."""

    position: int
    upto: int
    kind: str
    detail: str


class RootOut(BaseModel):
    size: int
    root: str
    position: int


class PartOut(BaseModel):
    """A part of a check. Ask again with `reached` until `done` or something is `wrong`."""

    reached: str
    checked: int
    position: int
    sealed: int
    sealed_position: int
    checkpoints: int
    done: bool
    unsealed: int
    wrong: WrongOut | None
    roots: list[RootOut]


def audit_router(desk: AuditDesk) -> Router:
    """What an auditor asks of one context."""
    router = Router(prefix=f"/v1/{desk.context}", tags=["audit"])
    _add_sealing(router, desk)
    _add_checking(router, desk)
    return router


def _add_sealing(router: Router, desk: AuditDesk) -> None:
    @router.get("/audit")
    def read_audit() -> StandingOut:
        return _standing(desk)

    @router.post("/audit:seal")
    def seal_log(upto: Annotated[int | None, Query(ge=0, le=MOST_POSITION)] = None) -> SealingOut:
        wanted = seal(desk, upto)
        return SealingOut(**_standing(desk).model_dump(), wanted=wanted)


def _add_checking(router: Router, desk: AuditDesk) -> None:
    @router.get("/audit/check")
    def check_log(
        reached: Annotated[str | None, Query(max_length=4_200)] = None,
        limit: Annotated[int, Query(ge=1, le=MOST_EVENTS)] = 100_000,
        sizes: Annotated[str | None, Query(max_length=8_000)] = None,
    ) -> PartOut:
        start, wanted = _start(reached), _wanted(sizes)
        return _part(check_part(desk.log, desk.trust(), start, limit, wanted))

    @router.get("/audit/proofs/{event_id}")
    def read_proof(event_id: UUID) -> dict[str, Any]:
        return prove(desk.log, event_id, desk.verifiers())

    @router.get("/audit/growth")
    def read_growth(old: Size, new: Size) -> dict[str, Any]:
        """A proof that the log of `new` events is that of `old` events with more behind it."""
        return prove_growth(desk.log, old, new, desk.verifiers())


def _standing(desk: AuditDesk) -> StandingOut:
    head, last, keys = desk.log.head(), desk.log.last_signed(), desk.verifiers()
    return StandingOut(
        context=desk.context,
        origin=desk.origin,
        sealed=head.size,
        position=head.position,
        safe=desk.safe_position(),
        checkpoints=head.checkpoints,
        checkpoint=None if last is None else last.note,
        outside=desk.place.outside is not None,
        staying=len(desk.log.staying(1_000)),
        keys=[str(key) for key in keys],
        pem=[public_pem(key.public) for key in keys],
    )


def _start(text: str | None) -> Reached:
    try:
        return Reached() if text is None else read_reached(text)
    except NoState as error:
        raise RequestRefused("malformed-request", str(error)) from error


def _wanted(text: str | None) -> list[int]:
    if text is None:
        return []
    if not _SIZES.fullmatch(text):
        raise RequestRefused("malformed-request", "Give sizes as up to 500 numbers and commas.")
    return [int(size) for size in text.split(",")]


def _part(part: Part) -> PartOut:
    wrong = part.wrong
    return PartOut(
        reached=str(part.reached),
        checked=part.reached.size,
        position=part.reached.position,
        sealed=part.head.size,
        sealed_position=part.head.position,
        checkpoints=part.reached.checkpoints,
        done=part.done,
        unsealed=part.unsealed,
        wrong=None
        if wrong is None
        else WrongOut(
            position=wrong.position, upto=wrong.upto, kind=wrong.kind, detail=wrong.detail
        ),
        roots=[
            RootOut(size=size, root=root.hex(), position=position)
            for size, (root, position) in part.roots.items()
        ],
    )
