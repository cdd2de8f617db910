"""What a context remembers of staff that contacts owns: enough to say whose an event was, then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, Final
from uuid import UUID

from crm_events.contracts.contacts import StaffChanged, StaffRegistered, StaffWithdrawn
from crm_events.domain import DomainError
from crm_events.envelope import Envelope
from crm_events.event import Staff
from crm_events.feed.reactor import Session
from crm_events.store.port import DirectoryEntry, EventRecorder

STAFF: Final = "staff"


class StaffUnknown(DomainError):
    """Nobody of that id is known here (yet)."""

    slug: ClassVar[str] = "staff-unknown"

    def __init__(self, id: UUID) -> None:
        super().__init__(f"There is no member of staff {id}; register them first.")


def remember_staff(
    session: Session, envelope: Envelope, event: StaffRegistered | StaffChanged
) -> None:
    """The reaction that keeps team, manager and region of a member of staff, never the name."""
    known = {
        "team": event.team,
        "manager_id": None if event.manager_id is None else str(event.manager_id),
        "region": event.region,
    }
    session.remember(DirectoryEntry(STAFF, envelope.aggregate_id, None, known))


def forget_staff(session: Session, envelope: Envelope, event: StaffWithdrawn) -> None:
    """The reaction to a member of staff of whom nothing is left; a record that is as it was before
    is said again by the event after this one."""
    if event.gone:
        session.remember(DirectoryEntry(STAFF, envelope.aggregate_id, None, {}))


def staff_in(entry: DirectoryEntry | None) -> Staff | None:
    """The member of staff that an entry tells of; one who was withdrawn is nobody."""
    return Staff(id=entry.id, **entry.data) if entry is not None and entry.data else None


def staff_of(recorder: EventRecorder, ids: Iterable[UUID]) -> Mapping[UUID, Staff]:
    """Those of these members of staff who are known, as they are now."""
    found = recorder.directory(STAFF, ids)
    told = {id_: staff_in(entry) for id_, entry in found.items()}
    return {id_: staff for id_, staff in told.items() if staff is not None}


def staff_member(recorder: EventRecorder, id: UUID) -> Staff:
    """One member of staff as of now. Raises StaffUnknown."""
    found = staff_of(recorder, [id])
    if id not in found:
        raise StaffUnknown(id)
    return found[id]
