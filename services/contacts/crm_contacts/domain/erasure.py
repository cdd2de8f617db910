"""The end of everything personal about one subject: a person, a member of staff, a nameless buyer.

It is told in the stream that has the subject's id, after everything that this context said of the
subject itself: whoever follows that lane blanks what it copied, and nothing later brings it back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Self
from uuid import UUID

from crm_events.contracts.contacts import ErasureReason, SubjectErased
from crm_events.domain import Aggregate, Change, DomainError, applies


class SubjectIsErased(DomainError):
    slug: ClassVar[str] = "subject-erased"

    def __init__(self, id: UUID) -> None:
        super().__init__(
            f"Subject {id} has been erased; nothing more can be said of it. Capture them anew."
        )


class ErasedAlready(DomainError):
    slug: ClassVar[str] = "erased-already"

    def __init__(self, id: UUID) -> None:
        super().__init__(f"Subject {id} has been erased before; crm erase {id} says when.")


@dataclass(frozen=True, slots=True)
class Grounds:
    """Why a subject is erased; `reference` is a case number and names nobody."""

    reason: ErasureReason
    reference: str | None = None


class Erasable(Aggregate):
    """A thing that may be a subject itself. Once erased, it takes no commands."""

    def __init__(self, id: UUID) -> None:
        super().__init__(id)
        self.erased = False

    def refuse_erased(self) -> None:
        """Raises SubjectIsErased."""
        if self.erased:
            raise SubjectIsErased(self.id)

    @classmethod
    def begins_with(cls, change: Change) -> bool:
        """Of a subject that had no record here, the erasure is the first event."""
        return not isinstance(change.body, SubjectErased) and super().begins_with(change)

    @applies(SubjectErased)
    def _erased(self, _: SubjectErased) -> None:
        self.erased = True


class Erasure(Aggregate):
    """Any subject, whatever else its stream tells of."""

    def __init__(self, id: UUID) -> None:
        super().__init__(id)
        self.done = False

    def erase(self, grounds: Grounds, statement: str, *, at: datetime) -> None:
        """`statement` is the digest of the certificate's. Raises ErasedAlready."""
        if self.done:
            raise ErasedAlready(self.id)
        self.record(
            SubjectErased(
                subject_id=self.id,
                reason=grounds.reason,
                reference=grounds.reference,
                statement=statement,
            ),
            at=at,
        )

    @classmethod
    def standing(cls, id: UUID, version: int, *, done: bool) -> Self:
        """As it is known to be, without its events."""
        erasure = cls(id)
        erasure.version, erasure.done = version, done
        return erasure

    @applies(SubjectErased)
    def _erased(self, _: SubjectErased) -> None:
        self.done = True
