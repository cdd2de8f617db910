"""The commands about leads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from crm_events.application import Outcome, Saving
from crm_events.event import Money
from crm_events.ids import new_id
from crm_events.store.mapper import Cause
from crm_events.store.port import Beside

from crm_contacts.application.directory import PERSON, Directory
from crm_contacts.domain.customer import Customer
from crm_contacts.domain.lead import Conversion, Lead, LeadFacts
from crm_contacts.domain.person import Person, PersonFacts


@dataclass(frozen=True, slots=True)
class ConvertLead:
    """Whom and what a lead turned out to be. `person_id` names somebody known already; without it
    the lead's own person is registered, or linked when they are."""

    pipeline: str
    person_id: UUID | None = None
    organisation_id: UUID | None = None
    title: str | None = None
    amount: Money | None = None


class Leads(Directory):
    """Leads from the first interest until they become a deal or are given up."""

    def capture_lead(self, cause: Cause, facts: LeadFacts, owner_id: UUID | None = None) -> Outcome:
        """The region is the owner's unless it is given."""

        def capture() -> Saving:
            owner = None if owner_id is None else self.staff(owner_id)
            region = facts.region or (owner.region if owner else None)
            lead, person_id = Lead(new_id()), self.new_subject()
            lead.capture(person_id, replace(facts, region=region), owner, at=cause.at)
            return Saving((lead,), result={"person_id": str(person_id)})

        return self.execute(cause, capture)

    def tag_lead(self, cause: Cause, id: UUID, tag: str, expected: int | None = None) -> Outcome:
        def put(lead: Lead) -> None:
            lead.tag(tag, at=cause.at)

        return self.change(cause, Lead, id, put, expected, commutes=True)

    def untag_lead(self, cause: Cause, id: UUID, tag: str, expected: int | None = None) -> Outcome:
        def take_off(lead: Lead) -> None:
            lead.untag(tag, at=cause.at)

        return self.change(cause, Lead, id, take_off, expected, commutes=True)

    def assign_lead(
        self, cause: Cause, id: UUID, owner_id: UUID, expected: int | None = None
    ) -> Outcome:
        def assign(lead: Lead) -> None:
            lead.assign(self.staff(owner_id), at=cause.at)

        return self.change(cause, Lead, id, assign, expected)

    def qualify_lead(
        self, cause: Cause, id: UUID, need: str | None, expected: int | None = None
    ) -> Outcome:
        def qualify(lead: Lead) -> None:
            lead.qualify(need, at=cause.at)

        return self.change(cause, Lead, id, qualify, expected)

    def disqualify_lead(
        self, cause: Cause, id: UUID, reason: str, expected: int | None = None
    ) -> Outcome:
        def disqualify(lead: Lead) -> None:
            lead.disqualify(reason, at=cause.at)

        return self.change(cause, Lead, id, disqualify, expected)

    def convert_lead(
        self, cause: Cause, id: UUID, command: ConvertLead, expected: int | None = None
    ) -> Outcome:
        """The customer is the organisation where one is named, else the person; they become a
        prospect unless they have been further."""

        def convert(lead: Lead) -> Saving:
            organisation = self.organisation(command.organisation_id)
            person = self._person_of(cause, lead, command)
            into = Conversion(
                person.id,
                new_id(),
                command.pipeline,
                command.organisation_id,
                command.title,
                command.amount,
            )
            owner = None if lead.owner is None else self.staff(lead.owner.id)
            lead.convert(into, owner, at=cause.at)
            customer: Customer = organisation or person
            customer.become_prospect(at=cause.at)
            entry = self.names.entry(PERSON, person.id, person.facts.name)
            return Saving(
                (lead, person, customer),
                result={"deal_id": str(into.deal_id), "person_id": str(person.id)},
                beside=Beside(directory=(entry,)),
            )

        return self.change(cause, Lead, id, convert, expected, commutes=True)

    def _person_of(self, cause: Cause, lead: Lead, command: ConvertLead) -> Person:
        if command.person_id is not None:
            return self.person(command.person_id)
        person = self.load_all(Person, [lead.person_id]).get(lead.person_id)
        if person is None:
            self.refuse_erased(lead.person_id)
            known = lead.facts
            facts = PersonFacts(
                known.name, known.email, known.phone, command.organisation_id, known.region
            )
            person = Person(lead.person_id)
            person.register(facts, at=cause.at)
        return person
