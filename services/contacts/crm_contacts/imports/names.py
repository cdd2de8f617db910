"""What the names of a file stand for: things known by that name, else a stub to be filled later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from crm_service.names import Named

from crm_contacts.application.directory import ORGANISATION, PERSON, STAFF
from crm_contacts.domain.organisation import Organisation, OrganisationFacts
from crm_contacts.domain.person import Person, PersonFacts
from crm_contacts.domain.staff import StaffFacts, StaffMember


def _stub_staff(member: StaffMember, name: str, at: datetime) -> None:
    member.register(StaffFacts(name), stub=True, at=at)


def _stub_organisation(organisation: Organisation, name: str, at: datetime) -> None:
    organisation.register(OrganisationFacts(name), stub=True, at=at)


def _stub_person(person: Person, name: str, at: datetime) -> None:
    person.register(PersonFacts(name), stub=True, at=at)


def _name_of(thing: StaffMember | Organisation | Person) -> str | None:
    return thing.facts.name


def _is_stub(thing: StaffMember | Organisation | Person) -> bool:
    return thing.stub


NAMES: Final[Mapping[str, Named[Any]]] = {
    STAFF: Named(StaffMember, _name_of, _is_stub, _stub_staff),
    ORGANISATION: Named(Organisation, _name_of, _is_stub, _stub_organisation),
    PERSON: Named(Person, _name_of, _is_stub, _stub_person),
}
