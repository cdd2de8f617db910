"""A service in small, made of the kit's parts as a real one is: notes with an amount, in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Event
from typing import Annotated, ClassVar
from uuid import UUID, uuid5

from crm_events.application import LostRace, NotFound, Outcome, Position, StaleVersion
from crm_events.catalogue import UnknownEventType
from crm_events.domain import DomainError
from crm_events.partitions import partition_of
from crm_events.store.mapper import Cause
from crm_events.store.port import StoreUnavailable
from crm_service.commands import CommandCause, Expected, created, done
from crm_service.exchange import Caller, Needs
from crm_service.positions import After
from crm_service.problems import COMMON, Kind, Registry
from crm_service.routing import MIB, Router, body_limit
from crm_service.schemas import Answer, Body, Instant, Money, Parameters
from fastapi import Depends, Query, Response

SECRET = "anna.example@example.org"


class NoteSealed(DomainError):
    slug: ClassVar[str] = "note-sealed"

    def __init__(self, note: UUID) -> None:
        super().__init__("A sealed note cannot be changed; write another one.")
        self.note = note
        self._draft = SECRET


class Unregistered(DomainError):
    slug: ClassVar[str] = "nobody-knows"


ERRORS: Registry = COMMON.extended({"note-sealed": Kind(409, "The note is sealed")})


class WriteNote(Body):
    text: str
    amount: Money | None = None
    at: Instant | None = None
    tags: list[str] = []  # noqa: RUF012 (pydantic copies it)


class Page(Parameters):
    limit: Annotated[int, Query(ge=1, le=200)] = 50
    cursor: str | None = None


@dataclass
class Notes:
    """What the routes decide with; causes are kept so that a test can look at them."""

    causes: list[Cause] = field(default_factory=list)
    versions: dict[UUID, int] = field(default_factory=dict)
    release: Event = field(default_factory=Event)
    entered: Event = field(default_factory=Event)

    def write(self, cause: Cause, result: dict[str, str]) -> Outcome:
        self.causes.append(cause)
        id = uuid5(cause.command_id, "note")
        repeated = id in self.versions
        self.versions.setdefault(id, 1)
        return Outcome(id, 1, Position("notes", partition_of(id), 12), result, repeated)

    def change(self, cause: Cause, id: UUID, text: str, expected: int | None) -> Outcome:
        current = self.versions.get(id)
        if current is None:
            raise NotFound("Note", id)
        if expected is not None and expected != current:
            raise StaleVersion(current)
        self.causes.append(cause)
        self.versions[id] = current + 1
        position = Position("notes", partition_of(id), 13)
        return Outcome(id, current + 1, position, {"language": text[:2]})


def notes_router(notes: Notes) -> Router:
    router = Router(prefix="/v1/notes", tags=["notes"])

    @router.post("", status_code=201, response_model=Answer)
    def write_note(body: WriteNote, cause: CommandCause) -> Response:
        return created(notes.write(cause, {"language": body.text[:2]}), "/v1/notes")

    @router.patch("/{note_id}", response_model=Answer)
    def change_note(
        note_id: UUID, body: WriteNote, cause: CommandCause, expected: Expected
    ) -> Response:
        return done(notes.change(cause, note_id, body.text, expected))

    @router.get("")
    def list_notes(page: Annotated[Page, Query()], after: After) -> dict[str, object]:
        return {"limit": page.limit, "after": [str(position) for position in after]}

    @router.post("/import")
    @body_limit(3 * MIB)
    def import_notes(body: list[WriteNote]) -> dict[str, int]:
        return {"count": len(body)}

    @router.get("/me")
    def read_caller(caller: Caller) -> dict[str, object]:
        return {"id": caller.id, "name": caller.name, "rights": sorted(caller.rights)}

    @router.get("/audit", dependencies=[Depends(Needs("admin"))])
    def audit_notes() -> dict[str, str]:
        return {"audit": "clean"}

    return router


def failing_router(notes: Notes) -> Router:
    router = Router(prefix="/v1/failing")
    router.include_router(slow_router(notes))

    @router.get("/bug")
    def meet_bug() -> None:
        raise RuntimeError(f"duplicate key: ({SECRET})")

    @router.get("/down")
    def meet_down_store() -> None:
        raise StoreUnavailable(f"host=db.internal password={SECRET}")

    @router.get("/newer")
    def meet_newer_event() -> None:
        raise UnknownEventType("crm.notes.NoteWritten.v9")

    @router.get("/race")
    def lose_race() -> None:
        raise LostRace(9)

    @router.get("/sealed")
    def meet_seal() -> None:
        raise NoteSealed(UUID(int=7))

    @router.get("/unregistered")
    def meet_unregistered() -> None:
        raise Unregistered("Not today.")

    @router.get("/stream")
    def break_stream() -> Iterator[str]:
        yield "first\n"
        raise RuntimeError(SECRET)

    return router


def slow_router(notes: Notes) -> Router:
    router = Router()

    @router.get("/hang")
    def meet_hanging_store() -> None:
        Event().wait(timeout=60)

    @router.get("/slow")
    def wait_for_release() -> dict[str, bool]:
        notes.entered.set()
        return {"released": notes.release.wait(timeout=10)}

    return router
