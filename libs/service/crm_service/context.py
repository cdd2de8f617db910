"""What the HTTP edge of every context repeats: back-dating, the position, trouble with keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from crm_events.audit.growth import UnknownCheckpoint
from crm_events.audit.keyfile import KeyFileRefused
from crm_events.audit.notary import TreeBroken
from crm_events.audit.proving import NotProvable, UnknownEvent
from crm_events.keys.port import KeysUnavailable, SubjectErased
from crm_events.store.mapper import Cause
from crm_events.store.port import EventRecorder
from pydantic import BaseModel

from crm_service.answering import Translation, unavailable
from crm_service.auditing.outside import Forked
from crm_service.problems import COMMON, Kind, Problem, Registry, RequestRefused
from crm_service.routing import Router
from crm_service.schemas import Body, Happened

CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far ahead another machine's clock may be before its "now" is called the future."""


class Dated(Body):
    """A command's body. `occurred_at` back-dates what happened; without it, it happens now."""

    occurred_at: Happened | None = None

    def facts(self) -> dict[str, Any]:
        """The body's fields but its time, under the names that the facts of a decision have."""
        names = type(self).model_fields.keys() - {"occurred_at"}
        return {name: getattr(self, name) for name in names}


def effective(cause: Cause, body: Dated) -> Cause:
    """The cause at the time the body names. Raises RequestRefused (422) for a time to come."""
    if body.occurred_at is None:
        return cause
    if body.occurred_at > cause.at + CLOCK_SKEW:
        reason = "this is in the future; leave it out for now, or name the time it happened"
        entry = {"in": "body", "field": "occurred_at", "reason": reason}
        raise RequestRefused("validation", "Wrong: occurred_at.", extra={"errors": [entry]})
    return replace(cause, at=min(body.occurred_at, cause.at))


class Head(BaseModel):
    """How far a context's log goes: everything up to `sequence` can be read."""

    context: str
    sequence: int


class Standing(Head):
    """A context's head, and up to where its reactions have seen each context they follow."""

    reacted: Mapping[str, int]


Reacted = Callable[[], Mapping[str, int]]


def position_router(context: str, recorder: EventRecorder, reacted: Reacted) -> Router:
    """`GET /v1/<context>/position`: what a later import says in Crm-After."""
    router = Router(prefix=f"/v1/{context}", tags=["position"])

    @router.get("/position")
    def read_position() -> Standing:
        seen = dict(reacted())
        return Standing(context=context, sequence=recorder.safe_position(), reacted=seen)

    return router


CONTEXT_ERRORS: Final[Registry] = COMMON.extended(
    {
        "subject-erased": Kind(
            409,
            "This person has been erased",
            "Nothing personal can be kept for an erased person; capture them anew.",
        ),
        "audit-key": Kind(
            503, "The key of checkpoints cannot be used", "Mend its file, and ask again."
        ),
        "tree-broken": Kind(
            409,
            "The sealed rows were changed",
            "Nothing is signed over them. `crm audit verify` says where; see the runbook.",
        ),
        "checkpoint-unknown": Kind(422, "No such checkpoint", "Name the sizes of two of them."),
        "not-provable": Kind(409, "This cannot be proven yet"),
        "undo-undone": Kind(
            409,
            "This is itself an undo",
            "What it withdrew is not brought back by undoing it; import the file again.",
        ),
        "import-options": Kind(422, "What is said of the file does not fit", "Correct it."),
        "row-refused": Kind(422, "The row cannot stand", "Correct the column it names."),
    }
)
"""What every context may answer; a context adds its own with `CONTEXT_ERRORS.extended`."""

TRANSLATIONS: Final[Mapping[type[Exception], Translation]] = {
    KeysUnavailable: lambda _: unavailable("The key database cannot be reached."),
    SubjectErased: lambda error: Problem("subject-erased", str(error)),
    KeyFileRefused: lambda error: Problem("audit-key", str(error)),
    TreeBroken: lambda error: Problem("tree-broken", str(error)),
    Forked: lambda error: Problem("tree-broken", str(error)),
    UnknownEvent: lambda error: Problem("not-found", str(error)),
    UnknownCheckpoint: lambda error: Problem("checkpoint-unknown", str(error)),
    NotProvable: lambda error: Problem("not-provable", str(error)),
}
"""What errors of the key database and of the audit leave as."""
