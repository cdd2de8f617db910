"""The commands by which work comes in: feedback, and the rules of who gets it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from crm_events.application import Outcome, Saving
from crm_events.contracts.ticketing import AssignmentRule, Sentiment
from crm_events.ids import new_id
from crm_events.store.mapper import Cause
from crm_service.staff import StaffUnknown, staff_of

from crm_ticketing.application.directory import Directory
from crm_ticketing.domain.assignment import AssignmentRules
from crm_ticketing.domain.feedback import Feedback


@dataclass(frozen=True, slots=True)
class ReceiveFeedback:
    """What a customer said, and where."""

    customer_id: UUID
    content: str
    category: str
    channel: str
    sentiment: Sentiment = "neutral"


class Intake(Directory):
    """Feedback and assignment rules."""

    def receive_feedback(self, cause: Cause, feedback: ReceiveFeedback) -> Outcome:
        """Answers the id of the ticket that opens from it by itself."""

        def receive() -> Saving:
            received, ticket_id = Feedback(new_id()), new_id()
            received.receive(
                feedback.customer_id,
                ticket_id,
                feedback.content,
                category=feedback.category,
                channel=feedback.channel,
                sentiment=feedback.sentiment,
                at=cause.at,
            )
            return Saving((received,), {"ticket_id": str(ticket_id)})

        return self.execute(cause, receive)

    def define_assignment_rules(
        self, cause: Cause, rules: Sequence[AssignmentRule], expected: int | None = None
    ) -> Outcome:
        """The rules from now on. Raises StaffUnknown for an agent nobody knows."""

        def define() -> AssignmentRules:
            self._refuse_unknown(agent for rule in rules for agent in rule.agents)
            found = self.rules(expected=expected)
            found.define(rules, at=cause.at)
            return found

        return self.execute(cause, define, expected=expected)

    def _refuse_unknown(self, agents: Iterable[UUID]) -> None:
        named = list(agents)
        known = staff_of(self.recorder, named)
        for agent in named:
            if agent not in known:
                raise StaffUnknown(agent)
