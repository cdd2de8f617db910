"""The bodies that contacts takes, and what its answers add."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from crm_events.contracts.contacts import LifecyclePhase
from crm_events.event import Key, Text
from crm_service.context import Dated
from crm_service.schemas import Answer, Money
from pydantic import Field


class RegisterStaff(Dated):
    name: Text
    team: Text | None = None
    manager_id: UUID | None = None
    region: Text | None = None


class Change(Dated):
    """Fields that are not there stay; null takes a value away."""

    def changes(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.model_fields_set - {"occurred_at"}}


class ChangeStaff(Change):
    name: Text = Field(default_factory=str)
    team: Text | None = None
    manager_id: UUID | None = None
    region: Text | None = None


class RegisterOrganisation(Dated):
    name: Text
    sector: Text | None = None
    region: Text | None = None
    size: Text | None = None
    revenue: Money | None = None
    parent_name: Text | None = None


class ChangeOrganisation(Change):
    name: Text = Field(default_factory=str)
    sector: Text | None = None
    region: Text | None = None
    size: Text | None = None
    revenue: Money | None = None
    parent_name: Text | None = None


class RegisterPerson(Dated):
    name: Text
    email: Text | None = None
    phone: Text | None = None
    organisation_id: UUID | None = None
    region: Text | None = None
    segment: Text | None = None


class ChangePerson(Change):
    name: Text = Field(default_factory=str)
    email: Text | None = None
    phone: Text | None = None
    organisation_id: UUID | None = None
    region: Text | None = None
    segment: Text | None = None


class EnterPhase(Dated):
    """机会客户, 签约客户, 最终用户, 再次购买; only ever forward."""

    phase: LifecyclePhase


class GiveConsent(Dated):
    """One purpose on one channel; `evidence` says how it is known."""

    channel: Key
    purpose: Key
    evidence: Text


class WithdrawConsent(Dated):
    channel: Key
    purpose: Key
    reason: Text | None = None


class CaptureLead(Dated):
    """Somebody showed interest. The region is the owner's unless it is given."""

    name: Text | None = None
    email: Text | None = None
    phone: Text | None = None
    company: Text | None = None
    source: Key
    campaign_id: UUID | None = None
    owner_id: UUID | None = None
    region: Text | None = None
    tags: tuple[Key, ...] = Field(default=(), max_length=100)

    def lead_facts(self) -> dict[str, Any]:
        """What is known of somebody, without who takes care of them."""
        return {name: value for name, value in self.facts().items() if name != "owner_id"}


class TagLead(Dated):
    tag: Key


class AssignLead(Dated):
    owner_id: UUID


class QualifyLead(Dated):
    need: Text | None = None


class DisqualifyLead(Dated):
    reason: Text


class ConvertLead(Dated):
    """`person_id` names somebody known already; without it the lead's own person is registered.
    Pipeline opens the deal in the first stage of `pipeline`."""

    pipeline: Key
    person_id: UUID | None = None
    organisation_id: UUID | None = None
    title: Text | None = None
    amount: Money | None = None


class LeadCaptured(Answer):
    """`person_id` is whom the lead becomes when it converts."""

    person_id: str


class LeadConverted(Answer):
    deal_id: str
    person_id: str
