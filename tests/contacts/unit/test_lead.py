from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from crm_contacts.domain.lead import (
    Conversion,
    Lead,
    LeadAlreadyConverted,
    LeadAlreadyDisqualified,
    LeadAlreadyQualified,
    LeadExists,
    LeadFacts,
    LeadNotQualified,
)
from crm_events.contracts.contacts import (
    LeadAssigned,
    LeadCaptured,
    LeadConverted,
    LeadDisqualified,
    LeadQualified,
    LeadTagged,
    LeadUntagged,
)
from crm_events.domain import Aggregate
from crm_events.event import Money, Staff

from tests.support.decisions import NOW, given

PERSON, DEAL, CAMPAIGN = UUID(int=2), UUID(int=3), UUID(int=4)
MEI, TOM = Staff(id=UUID(int=5), team="North"), Staff(id=UUID(int=6), team="South")
QUALIFIED = LeadQualified(person_id=PERSON)
DISQUALIFIED = LeadDisqualified(person_id=PERSON, reason="no budget")
INTO = Conversion(PERSON, DEAL, "sales", amount=Money(amount=Decimal(900), currency="EUR"))


def captured(**facts: Any) -> LeadCaptured:
    said = {"name": "Li Na", "source": "fair", **facts}
    return LeadCaptured(person_id=PERSON, **said)


def converted(owner: Staff | None = None, campaign_id: UUID | None = None) -> LeadConverted:
    return LeadConverted(
        person_id=PERSON,
        deal_id=DEAL,
        pipeline="sales",
        amount=INTO.amount,
        source="fair",
        campaign_id=campaign_id,
        owner=owner,
    )


def test_capturing_records_what_is_known() -> None:
    facts = LeadFacts("Li Na", source="fair", tags=("vip", "vip", "asia"))
    given(Lead).when(lambda lead: lead.capture(PERSON, facts, MEI, at=NOW)).then(
        captured(owner=MEI, tags=("vip", "asia"))
    ).at(NOW)


def test_lead_is_captured_once() -> None:
    given(Lead, captured()).when(
        lambda lead: lead.capture(PERSON, LeadFacts("Li Na"), at=NOW)
    ).then(LeadExists)


@pytest.mark.parametrize("before", [(), (DISQUALIFIED,)])
def test_captured_or_given_up_lead_can_be_qualified(before: tuple[LeadDisqualified, ...]) -> None:
    given(Lead, captured(), *before).when(lambda lead: lead.qualify("a crane", at=NOW)).then(
        LeadQualified(person_id=PERSON, need="a crane")
    )


def test_qualified_lead_is_not_qualified_again() -> None:
    given(Lead, captured(), QUALIFIED).when(lambda lead: lead.qualify(at=NOW)).then(
        LeadAlreadyQualified
    )


@pytest.mark.parametrize("before", [(), (QUALIFIED,)])
def test_open_lead_can_be_disqualified(before: tuple[LeadQualified, ...]) -> None:
    given(Lead, captured(), *before).when(lambda lead: lead.disqualify("no budget", at=NOW)).then(
        DISQUALIFIED
    )


def test_disqualified_lead_is_not_disqualified_again() -> None:
    given(Lead, captured(), DISQUALIFIED).when(lambda lead: lead.disqualify("x", at=NOW)).then(
        LeadAlreadyDisqualified
    )


def test_tags_are_put_and_taken_off_once() -> None:
    lead = given(Lead, captured(tags=("vip",)))
    lead.when(lambda it: it.tag("vip", at=NOW)).then()
    lead.when(lambda it: it.tag("asia", at=NOW)).then(LeadTagged(tag="asia"))
    lead.when(lambda it: it.untag("asia", at=NOW)).then()
    lead.when(lambda it: it.untag("vip", at=NOW)).then(LeadUntagged(tag="vip"))


def test_assigning_keeps_owner_as_of_now() -> None:
    lead = given(Lead, captured(owner=MEI))
    lead.when(lambda it: it.assign(TOM, at=NOW)).then(LeadAssigned(owner=TOM))
    lead.when(lambda it: it.assign(MEI, at=NOW)).then()
    moved = MEI.model_copy(update={"team": "West"})
    lead.when(lambda it: it.assign(moved, at=NOW)).then(LeadAssigned(owner=moved))


def test_qualified_lead_converts_with_source_campaign_and_owner() -> None:
    given(Lead, captured(owner=MEI, campaign_id=CAMPAIGN), QUALIFIED).when(
        lambda lead: lead.convert(INTO, at=NOW)
    ).then(converted(MEI, CAMPAIGN))


def test_conversion_takes_owner_as_of_now() -> None:
    moved = MEI.model_copy(update={"team": "West"})
    given(Lead, captured(owner=MEI), QUALIFIED).when(
        lambda lead: lead.convert(INTO, moved, at=NOW)
    ).then(converted(moved))


@pytest.mark.parametrize("before", [(), (QUALIFIED, DISQUALIFIED)])
def test_only_qualified_lead_converts(before: tuple[Any, ...]) -> None:
    given(Lead, captured(), *before).when(lambda lead: lead.convert(INTO, at=NOW)).then(
        LeadNotQualified
    )


def test_converted_lead_is_closed_for_good() -> None:
    lead = given(Lead, captured(), QUALIFIED, converted())
    lead.when(lambda it: it.convert(INTO, at=NOW)).then(LeadAlreadyConverted)
    lead.when(lambda it: it.qualify(at=NOW)).then(LeadAlreadyConverted)
    lead.when(lambda it: it.disqualify("late", at=NOW)).then(LeadAlreadyConverted)
    lead.when(lambda it: it.assign(TOM, at=NOW)).then(LeadAlreadyConverted)
    lead.when(lambda it: it.tag("won", at=NOW)).then(LeadTagged(tag="won"))


def test_replay_follows_events_no_rule_would_allow_today() -> None:
    lead: Aggregate = given(Lead, captured(), converted(), QUALIFIED, QUALIFIED).aggregate()
    assert lead.version == 4
