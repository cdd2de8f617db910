from collections import Counter
from uuid import UUID

import pytest
from crm_events.contracts.ticketing import (
    AssignmentRule,
    AssignmentRulesDefined,
    FeedbackReceived,
)
from crm_events.domain import Change
from crm_events.ids import new_id
from crm_ticketing.domain.assignment import AgentTwice, AssignmentRules, Choice
from crm_ticketing.domain.feedback import Feedback, FeedbackExists

from tests.support.decisions import ID, NOW, given
from tests.ticketing.telling import CUSTOMER

TICKET, A, B, C = (UUID(int=n) for n in range(11, 15))
BILLING = AssignmentRule(category="billing", agents=(A, B))
PHONE = AssignmentRule(channel="phone", agents=(C,))
RULES = AssignmentRulesDefined(rules_version=1, rules=(BILLING, PHONE))


def rules(*defined: AssignmentRule) -> AssignmentRules:
    event = AssignmentRulesDefined(rules_version=7, rules=defined)
    return AssignmentRules.from_history(ID, [Change(ID, 1, event)])


def test_feedback_names_the_ticket_it_becomes() -> None:
    event = FeedbackReceived(
        customer_id=CUSTOMER,
        ticket_id=TICKET,
        content="Great!",
        category="billing",
        channel="web",
        sentiment="praise",
    )

    def receive(feedback: Feedback) -> None:
        feedback.receive(
            CUSTOMER,
            TICKET,
            "Great!",
            category="billing",
            channel="web",
            sentiment="praise",
            at=NOW,
        )

    given(Feedback).when(receive).then(event)
    given(Feedback, event).when(receive).then(FeedbackExists)


def test_rules_are_defined_in_versions() -> None:
    given(AssignmentRules).when(lambda r: r.define([BILLING, PHONE], at=NOW)).then(RULES)
    given(AssignmentRules, RULES).when(lambda r: r.define([PHONE], at=NOW)).then(
        AssignmentRulesDefined(rules_version=2, rules=(PHONE,))
    )


def test_the_same_rules_are_no_change() -> None:
    given(AssignmentRules, RULES).when(lambda r: r.define([BILLING, PHONE], at=NOW)).then()
    given(AssignmentRules).when(lambda r: r.define([], at=NOW)).then()


def test_an_agent_has_one_place_in_a_rule() -> None:
    twice = AssignmentRule(agents=(A, B, A))
    given(AssignmentRules).when(lambda r: r.define([twice], at=NOW)).then(AgentTwice)


@pytest.mark.parametrize(
    ("category", "channel", "agent"),
    [("billing", "phone", A), ("delivery", "phone", C), ("delivery", "web", None)],
    ids=["first match wins", "any category", "none fits"],
)
def test_the_first_rule_that_fits_decides(category: str, channel: str, agent: UUID | None) -> None:
    expected = None if agent is None else Choice(agent, 7)
    assert rules(BILLING, PHONE).choose(UUID(int=10), category, channel) == expected


def test_a_ticket_is_given_to_the_same_agent_every_time() -> None:
    both = rules(AssignmentRule(agents=(A, B)))
    for ticket in (UUID(int=n) for n in range(20)):
        assert both.choose(ticket, "x", "y") == both.choose(ticket, "x", "y")


def test_tickets_are_spread_evenly() -> None:
    three = rules(AssignmentRule(agents=(A, B, C)))
    chosen = (three.choose(new_id(), "x", "y") for _ in range(3_000))
    shares = Counter(choice.agent for choice in chosen if choice)
    assert all(850 < shares[agent] < 1_150 for agent in (A, B, C))
