"""A person: a customer or the contact of one, and what they allow us to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from crm_events.contracts.contacts import (
    ConsentGiven,
    ConsentWithdrawn,
    CustomerKind,
    PersonChanged,
    PersonRegistered,
)
from crm_events.domain import DomainError, applies

from crm_contacts.domain.customer import Customer


class PersonExists(DomainError):
    slug: ClassVar[str] = "person-exists"

    def __init__(self) -> None:
        super().__init__("This person is registered already; change the record instead.")


class PersonUnknown(DomainError):
    slug: ClassVar[str] = "person-unknown"

    def __init__(self, id: UUID) -> None:
        super().__init__(f"There is no person {id}; register them first.")


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """The whole record of a person; the first three are personal."""

    name: str | None
    email: str | None = None
    phone: str | None = None
    organisation_id: UUID | None = None
    region: str | None = None
    segment: str | None = None


@dataclass(frozen=True, slots=True)
class Permission:
    """What a consent is about: one purpose on one channel."""

    channel: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Consent:
    """Whether a permission stands, and on which evidence; None once that is erased."""

    given: bool
    evidence: str | None = None


_WITHDRAWN: Final = Consent(False)


class Person(Customer):
    """One person, with what they consented to for each channel and purpose."""

    customer_kind: CustomerKind = "person"

    def __init__(self, id: UUID) -> None:
        super().__init__(id)
        self.facts = PersonFacts(None)
        self.stub = False
        self._consents: dict[Permission, Consent] = {}

    def register(self, facts: PersonFacts, *, stub: bool = False, at: datetime) -> None:
        """Raises PersonExists."""
        if self.begun:
            raise PersonExists
        self.record(PersonRegistered(**asdict(facts), stub=stub), at=at)

    def change(self, facts: PersonFacts, *, at: datetime) -> None:
        """The whole record from now on; nothing happens when it says nothing new.

        Raises SubjectIsErased, as giving consent does.
        """
        self.refuse_erased()
        if facts != self.facts or self.stub:
            self.record(PersonChanged(**asdict(facts)), at=at)

    def give_consent(self, permission: Permission, evidence: str, *, at: datetime) -> None:
        """Nothing happens when it stands on the same evidence already; other evidence renews it."""
        self.refuse_erased()
        if self._consents.get(permission) != Consent(True, evidence):
            self.record(ConsentGiven(**asdict(permission), evidence=evidence), at=at)

    def withdraw_consent(
        self, permission: Permission, reason: str | None = None, *, at: datetime
    ) -> None:
        """Also an objection of somebody who never consented; repeating it changes nothing."""
        if self._consents.get(permission) != _WITHDRAWN:
            self.record(ConsentWithdrawn(**asdict(permission), reason=reason), at=at)

    @applies(PersonRegistered)
    def _registered(self, event: PersonRegistered) -> None:
        self._is_now(event)
        self.stub = event.stub

    @applies(PersonChanged)
    def _changed(self, event: PersonChanged) -> None:
        self._is_now(event)
        self.stub = False

    def _is_now(self, event: PersonRegistered | PersonChanged) -> None:
        self.facts = PersonFacts(
            event.name,
            event.email,
            event.phone,
            event.organisation_id,
            event.region,
            event.segment,
        )

    @applies(ConsentGiven)
    def _consented(self, event: ConsentGiven) -> None:
        self._consents[Permission(event.channel, event.purpose)] = Consent(True, event.evidence)

    @applies(ConsentWithdrawn)
    def _withdrew(self, event: ConsentWithdrawn) -> None:
        self._consents[Permission(event.channel, event.purpose)] = _WITHDRAWN
