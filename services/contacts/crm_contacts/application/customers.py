"""The commands about organisations and people: their records, their lifecycle, their consent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID

from crm_events.application import Outcome, Saving
from crm_events.contracts.contacts import LifecyclePhase
from crm_events.ids import new_id
from crm_events.store.mapper import Cause

from crm_contacts.application.directory import Directory
from crm_contacts.domain.organisation import Organisation, OrganisationFacts
from crm_contacts.domain.person import Permission, Person, PersonFacts

C = TypeVar("C", Organisation, Person)


class Customers(Directory):
    """Whom the company sells to, or may."""

    def register_organisation(self, cause: Cause, facts: OrganisationFacts) -> Outcome:
        def register() -> Saving:
            organisation = Organisation(new_id())
            organisation.register(facts, at=cause.at)
            return self.named(organisation)

        return self.execute(cause, register)

    def change_organisation(
        self, cause: Cause, id: UUID, changes: Mapping[str, Any], expected: int | None = None
    ) -> Outcome:
        """`changes` are fields of `OrganisationFacts`; those not named stay."""

        def change(organisation: Organisation) -> Saving:
            organisation.change(replace(organisation.facts, **changes), at=cause.at)
            return self.named(organisation)

        return self.change(cause, Organisation, id, change, expected)

    def register_person(self, cause: Cause, facts: PersonFacts) -> Outcome:
        def register() -> Saving:
            self.organisation(facts.organisation_id)
            person = Person(self.new_subject())
            person.register(facts, at=cause.at)
            return self.named(person)

        return self.execute(cause, register)

    def change_person(
        self, cause: Cause, id: UUID, changes: Mapping[str, Any], expected: int | None = None
    ) -> Outcome:
        """`changes` are fields of `PersonFacts`; those not named stay."""

        def change(person: Person) -> Saving:
            self.organisation(changes.get("organisation_id"))
            person.change(replace(person.facts, **changes), at=cause.at)
            return self.named(person)

        return self.change(cause, Person, id, change, expected)

    def enter_phase(
        self,
        cause: Cause,
        kind: type[C],
        id: UUID,
        phase: LifecyclePhase,
        expected: int | None = None,
    ) -> Outcome:
        def enter(customer: C) -> None:
            customer.enter_phase(phase, at=cause.at)

        return self.change(cause, kind, id, enter, expected)

    def give_consent(
        self,
        cause: Cause,
        id: UUID,
        permission: Permission,
        evidence: str,
        expected: int | None = None,
    ) -> Outcome:
        def give(person: Person) -> None:
            person.give_consent(permission, evidence, at=cause.at)

        return self.change(cause, Person, id, give, expected, commutes=True)

    def withdraw_consent(
        self,
        cause: Cause,
        id: UUID,
        permission: Permission,
        reason: str | None,
        expected: int | None = None,
    ) -> Outcome:
        def withdraw(person: Person) -> None:
            person.withdraw_consent(permission, reason, at=cause.at)

        return self.change(cause, Person, id, withdraw, expected, commutes=True)
