"""A lead: somebody who showed interest, until sales takes it on, gives it up or makes it a deal."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from crm_events.contracts.contacts import (
    LeadAssigned,
    LeadCaptured,
    LeadConverted,
    LeadDisqualified,
    LeadQualified,
    LeadTagged,
    LeadUntagged,
)
from crm_events.domain import Aggregate, DomainError, applies
from crm_events.event import Money, Staff

Status = Literal["new", "captured", "qualified", "disqualified", "converted"]


class LeadExists(DomainError):
    slug: ClassVar[str] = "lead-exists"

    def __init__(self) -> None:
        super().__init__("The lead has been captured already; tag, assign or qualify it instead.")


class LeadAlreadyConverted(DomainError):
    slug: ClassVar[str] = "lead-already-converted"

    def __init__(self, deal_id: UUID | None) -> None:
        super().__init__(f"The lead became the deal {deal_id}; go on with the deal.")
        self.deal_id = deal_id


class LeadAlreadyQualified(DomainError):
    slug: ClassVar[str] = "lead-already-qualified"

    def __init__(self) -> None:
        super().__init__("The lead is qualified already; convert or disqualify it.")


class LeadAlreadyDisqualified(DomainError):
    slug: ClassVar[str] = "lead-already-disqualified"

    def __init__(self) -> None:
        super().__init__("The lead is disqualified already; qualify it to take it up again.")


class LeadNotQualified(DomainError):
    slug: ClassVar[str] = "lead-not-qualified"

    def __init__(self, status: Status) -> None:
        super().__init__(f"The lead is {status}; qualify it before you convert it.")


@dataclass(frozen=True, slots=True)
class LeadFacts:
    """What is known of somebody who showed interest; the first four are personal."""

    name: str | None
    email: str | None = None
    phone: str | None = None
    company: str | None = None
    source: str = "unknown"
    campaign_id: UUID | None = None
    response_id: UUID | None = None
    region: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversion:
    """Whom and what a lead turned out to be; pipeline opens the deal from it."""

    person_id: UUID
    deal_id: UUID
    pipeline: str
    organisation_id: UUID | None = None
    title: str | None = None
    amount: Money | None = None


class Lead(Aggregate):
    """One lead. A disqualified one may be qualified later; a converted one is closed for good."""

    def __init__(self, id: UUID) -> None:
        super().__init__(id)
        self.status: Status = "new"
        self.person_id = id
        """Whom it becomes; the lead's own id until it is captured."""
        self.deal_id: UUID | None = None
        self.facts = LeadFacts(None)
        self.owner: Staff | None = None
        self.tags: set[str] = set()

    def capture(
        self, person_id: UUID, facts: LeadFacts, owner: Staff | None = None, *, at: datetime
    ) -> None:
        """`person_id` is the person it becomes when it converts. Raises LeadExists."""
        if self.begun:
            raise LeadExists
        known = asdict(facts) | {"tags": tuple(dict.fromkeys(facts.tags))}
        self.record(LeadCaptured(person_id=person_id, owner=owner, **known), at=at)

    def tag(self, tag: str, *, at: datetime) -> None:
        """Nothing happens when the tag is there."""
        if tag not in self.tags:
            self.record(LeadTagged(tag=tag), at=at)

    def untag(self, tag: str, *, at: datetime) -> None:
        """Nothing happens when the tag is not there."""
        if tag in self.tags:
            self.record(LeadUntagged(tag=tag), at=at)

    def assign(self, owner: Staff, *, at: datetime) -> None:
        """Nothing happens when it is with this owner, in this team and region, already.

        Raises LeadAlreadyConverted.
        """
        self._refuse_converted()
        if owner != self.owner:
            self.record(LeadAssigned(owner=owner), at=at)

    def qualify(self, need: str | None = None, *, at: datetime) -> None:
        """Raises LeadAlreadyQualified and LeadAlreadyConverted."""
        self._refuse_converted()
        if self.status == "qualified":
            raise LeadAlreadyQualified
        self.record(LeadQualified(person_id=self.person_id, need=need), at=at)

    def disqualify(self, reason: str, *, at: datetime) -> None:
        """Raises LeadAlreadyDisqualified and LeadAlreadyConverted."""
        self._refuse_converted()
        if self.status == "disqualified":
            raise LeadAlreadyDisqualified
        self.record(LeadDisqualified(person_id=self.person_id, reason=reason), at=at)

    def convert(self, into: Conversion, owner: Staff | None = None, *, at: datetime) -> None:
        """`owner` is the lead's as of now. Raises LeadNotQualified and LeadAlreadyConverted."""
        self._refuse_converted()
        if self.status != "qualified":
            raise LeadNotQualified(self.status)
        self.record(
            LeadConverted(
                person_id=into.person_id,
                organisation_id=into.organisation_id,
                deal_id=into.deal_id,
                pipeline=into.pipeline,
                title=into.title,
                amount=into.amount,
                source=self.facts.source,
                campaign_id=self.facts.campaign_id,
                owner=owner or self.owner,
            ),
            at=at,
        )

    def _refuse_converted(self) -> None:
        if self.status == "converted":
            raise LeadAlreadyConverted(self.deal_id)

    @applies(LeadCaptured)
    def _captured(self, event: LeadCaptured) -> None:
        self.status, self.person_id, self.owner = "captured", event.person_id, event.owner
        self.tags = set(event.tags)
        self.facts = LeadFacts(
            event.name,
            event.email,
            event.phone,
            event.company,
            event.source,
            event.campaign_id,
            event.response_id,
            event.region,
            event.tags,
        )

    @applies(LeadTagged)
    def _tagged(self, event: LeadTagged) -> None:
        self.tags.add(event.tag)

    @applies(LeadUntagged)
    def _untagged(self, event: LeadUntagged) -> None:
        self.tags.discard(event.tag)

    @applies(LeadAssigned)
    def _assigned(self, event: LeadAssigned) -> None:
        self.owner = event.owner

    @applies(LeadQualified)
    def _qualified(self, _: LeadQualified) -> None:
        self.status = "qualified"

    @applies(LeadDisqualified)
    def _disqualified(self, _: LeadDisqualified) -> None:
        self.status = "disqualified"

    @applies(LeadConverted)
    def _converted(self, event: LeadConverted) -> None:
        self.status, self.deal_id = "converted", event.deal_id
