"""Events of the contacts context: staff, people, organisations, leads, consent and lifecycle."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import StringConstraints

from crm_events.event import Event, Key, Money, Personal, Staff, Text, Withdrawal

CustomerKind = Literal["person", "organisation"]
LifecyclePhase = Literal["prospect", "signed", "end_user", "repeat"]
"""机会客户, 签约客户, 最终用户, 再次购买."""
ErasureReason = Literal[
    "request",
    "consent-withdrawn",
    "objection",
    "no-longer-needed",
    "unlawful",
    "legal-obligation",
]
"""The grounds of Article 17(1) GDPR; `request` where the person gave none."""
CaseNumber = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$")]


class StaffRegistered(Event, context="contacts"):
    """A member of staff is known. A stub was named by an import before its own record came."""

    name: Annotated[Text | None, Personal()]
    team: Text | None = None
    manager_id: UUID | None = None
    region: Text | None = None
    stub: bool = False


class StaffChanged(Event, context="contacts"):
    """The whole record of a member of staff as it is from now on."""

    name: Annotated[Text | None, Personal()]
    team: Text | None = None
    manager_id: UUID | None = None
    region: Text | None = None


class OrganisationRegistered(Event, context="contacts"):
    """A company or institution is known as a customer or prospect."""

    name: Text
    sector: Text | None = None
    region: Text | None = None
    size: Text | None = None
    revenue: Money | None = None
    parent_name: Text | None = None
    stub: bool = False


class OrganisationChanged(Event, context="contacts"):
    """The whole record of an organisation as it is from now on."""

    name: Text
    sector: Text | None = None
    region: Text | None = None
    size: Text | None = None
    revenue: Money | None = None
    parent_name: Text | None = None


class PersonRegistered(Event, context="contacts"):
    """A person is known: a customer or the contact of one."""

    name: Annotated[Text | None, Personal()]
    email: Annotated[Text | None, Personal()] = None
    phone: Annotated[Text | None, Personal()] = None
    organisation_id: UUID | None = None
    region: Text | None = None
    segment: Text | None = None
    stub: bool = False


class PersonChanged(Event, context="contacts"):
    """The whole record of a person as it is from now on."""

    name: Annotated[Text | None, Personal()]
    email: Annotated[Text | None, Personal()] = None
    phone: Annotated[Text | None, Personal()] = None
    organisation_id: UUID | None = None
    region: Text | None = None
    segment: Text | None = None


class LeadCaptured(Event, context="contacts", version=2):
    """Somebody showed interest. `person_id` is the person the lead becomes when it converts."""

    person_id: UUID
    name: Annotated[Text | None, Personal("person_id")]
    email: Annotated[Text | None, Personal("person_id")] = None
    phone: Annotated[Text | None, Personal("person_id")] = None
    company: Annotated[Text | None, Personal("person_id")] = None
    source: Key
    campaign_id: UUID | None = None
    response_id: UUID | None = None
    owner: Staff | None = None
    region: Text | None = None
    tags: tuple[Key, ...] = ()


class LeadTagged(Event, context="contacts"):
    tag: Key


class LeadUntagged(Event, context="contacts"):
    tag: Key


class LeadAssigned(Event, context="contacts"):
    owner: Staff


class LeadQualified(Event, context="contacts", version=2):
    """Sales accepted the lead as worth pursuing. `person_id` is the lead's, as in its capture."""

    person_id: UUID | None = None
    need: Annotated[Text | None, Personal("person_id")] = None


class LeadDisqualified(Event, context="contacts", version=2):
    """Sales gave the lead up. `person_id` is the lead's, as in its capture."""

    person_id: UUID | None = None
    reason: Annotated[Text | None, Personal("person_id")]


class LeadConverted(Event, context="contacts", version=2):
    """The lead became a customer's opportunity; pipeline opens `deal_id` from these facts."""

    person_id: UUID
    organisation_id: UUID | None = None
    deal_id: UUID
    pipeline: Key
    title: Annotated[Text | None, Personal("person_id")] = None
    amount: Money | None = None
    source: Key
    campaign_id: UUID | None = None
    owner: Staff | None = None


class ConsentGiven(Event, context="contacts", version=2):
    """The person allowed one purpose on one channel."""

    channel: Key
    purpose: Key
    evidence: Annotated[Text | None, Personal()]


class ConsentWithdrawn(Event, context="contacts", version=2):
    channel: Key
    purpose: Key
    reason: Annotated[Text | None, Personal()] = None


class SubjectErased(Event, context="contacts"):
    """The key of a subject, whose id its thing has, is destroyed: nobody reads its sealed values
    again. `statement` is the SHA-256 of what the certificate says of the time before; `reference` a
    case number, which names nobody. Who did it is the event's actor."""

    subject_id: UUID
    reason: ErasureReason
    reference: CaseNumber | None = None
    statement: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class LifecyclePhaseEntered(Event, context="contacts"):
    """The customer moved to another phase of 客户生命周期.

    `purchase_id` is the won deal, or the order without one, that moved it.
    """

    customer_kind: CustomerKind
    phase: LifecyclePhase
    previous: LifecyclePhase | None = None
    purchase_id: UUID | None = None


class StaffWithdrawn(Withdrawal, context="contacts"):
    """What was said of a member of staff is undone."""


class OrganisationWithdrawn(Withdrawal, context="contacts"):
    """What was said of an organisation is undone."""


class PersonWithdrawn(Withdrawal, context="contacts"):
    """What was said of a person is undone."""


class LeadWithdrawn(Withdrawal, context="contacts"):
    """What was said of a lead is undone; a lead that is gone is in no figure."""
