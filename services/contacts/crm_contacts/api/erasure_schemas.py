"""What an erasure is told and answers: ids, counts and digests, nothing personal."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from crm_events.contracts.contacts import CaseNumber, ErasureReason
from crm_service.schemas import Answer, Body
from pydantic import BaseModel, Field, StringConstraints

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32,64}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_.=?&:/*,+-]{1,300}$")]


class HeldEvent(Body):
    """An event that holds fields of the subject: sealed ones, and plain ones of an old version."""

    version: int
    event_id: UUID
    type: Name
    sealed: tuple[Name, ...]
    plain: tuple[Name, ...]


class HeldStream(Body):
    id: UUID
    events: tuple[HeldEvent, ...]


class HeldIn(Body):
    """What a context held. The digest is over all stored events of the streams up to `sequence`."""

    context: Name
    sequence: int
    streams: tuple[HeldStream, ...]
    events: int
    digest: Digest


class Figures(Body):
    """A view's answer to a question about ids, at a position for ever the same, and its digest."""

    question: Name
    digest: Digest


class Statement(Body):
    """What was held of a subject before it was erased, and what the views said."""

    subject: UUID
    stated_at: datetime
    contexts: tuple[HeldIn, ...]
    views: tuple[Figures, ...]


class Erase(Body):
    """A `reference` is a case number of yours: it is kept in plain for ever, so never a name."""

    reason: ErasureReason
    reference: CaseNumber | None = None
    statement: Statement


class ContextAfter(Body):
    context: Name
    sequence: int
    events: int
    digest: Digest
    legible: int = Field(description="Sealed fields that can still be opened; 0 once erased")


class After(Body):
    """What was found after the key was destroyed, asked in the same words as before."""

    stated_at: datetime
    contexts: tuple[ContextAfter, ...]
    views: tuple[Figures, ...]
    unchanged: bool


class Erased(Answer):
    """`statement_sha256` is also in the event."""

    statement_sha256: str


class CertificateOut(BaseModel):
    """An erasure as it is kept. `after` is null until somebody has looked."""

    subject: UUID
    erased_at: datetime
    erased_by: str
    reason: ErasureReason
    reference: str | None
    statement_sha256: str
    statement: Statement
    after: After | None


class ErasuresOut(BaseModel):
    erasures: list[CertificateOut]


class Reapply(Body):
    """There is nothing to say."""


class Reapplied(BaseModel):
    """Whose keys were there again and have been destroyed, of how many erased subjects."""

    subjects: list[UUID]
    erased: int
