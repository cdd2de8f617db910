"""Events of the contacts context: staff, people, organisations, leads, consent and lifecycle."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from crm_events.event import Event, Key, Money, Personal, Staff, Text

CustomerKind = Literal["person", "organisation"]
LifecyclePhase = Literal["prospect", "signed", "end_user", "repeat"]
"""机会客户, 签约客户, 最终用户, 再次购买."""


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


class LeadCaptured(Event, context="contacts"):
    """Somebody showed interest. `person_id` is the person the lead becomes when it converts."""

    person_id: UUID
    name: Annotated[Text | None, Personal("person_id")]
    email: Annotated[Text | None, Personal("person_id")] = None
    phone: Annotated[Text | None, Personal("person_id")] = None
    company: Text | None = None
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


class LeadQualified(Event, context="contacts"):
    """Sales accepted the lead as worth pursuing."""

    need: Text | None = None


class LeadDisqualified(Event, context="contacts"):
    reason: Text


class LeadConverted(Event, context="contacts"):
    """The lead became a customer's opportunity; pipeline opens `deal_id` from these facts."""

    person_id: UUID
    organisation_id: UUID | None = None
    deal_id: UUID
    pipeline: Key
    title: Text | None = None
    amount: Money | None = None
    source: Key
    campaign_id: UUID | None = None
    owner: Staff | None = None


class ConsentGiven(Event, context="contacts"):
    """The person allowed one purpose on one channel."""

    channel: Key
    purpose: Key
    evidence: Text


class ConsentWithdrawn(Event, context="contacts"):
    channel: Key
    purpose: Key
    reason: Text | None = None


class LifecyclePhaseEntered(Event, context="contacts"):
    """The customer moved to another phase of 客户生命周期.

    `purchase_id` is the won deal, or the order without one, that moved it.
    """

    customer_kind: CustomerKind
    phase: LifecyclePhase
    previous: LifecyclePhase | None = None
    purchase_id: UUID | None = None
