"""What of contacts can be undone."""

from __future__ import annotations

from typing import Any, Final

from crm_events.contracts.contacts import (
    LeadCaptured,
    LeadWithdrawn,
    OrganisationChanged,
    OrganisationRegistered,
    OrganisationWithdrawn,
    PersonChanged,
    PersonRegistered,
    PersonWithdrawn,
    StaffChanged,
    StaffRegistered,
    StaffWithdrawn,
)
from crm_service.undoing.kinds import Undoable, record

from crm_contacts.application.directory import ORGANISATION, PERSON, STAFF
from crm_contacts.domain.lead import Lead
from crm_contacts.domain.organisation import Organisation
from crm_contacts.domain.person import Person
from crm_contacts.domain.staff import StaffMember

UNDOABLES: Final[tuple[Undoable[Any], ...]] = (
    Undoable("lead", Lead, LeadCaptured, LeadWithdrawn),
    record(STAFF, StaffMember, StaffRegistered, StaffChanged, StaffWithdrawn),
    record(
        ORGANISATION,
        Organisation,
        OrganisationRegistered,
        OrganisationChanged,
        OrganisationWithdrawn,
    ),
    record(PERSON, Person, PersonRegistered, PersonChanged, PersonWithdrawn),
)
