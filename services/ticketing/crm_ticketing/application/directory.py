"""What the decisions of ticketing rest on: the agents, the rules, and how long a survey waits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from crm_events.application import ContextApplication, NotFound, Outcome, Saving
from crm_events.codec import Codec
from crm_events.event import Staff
from crm_events.ids import derived_id
from crm_events.store.mapper import Cause
from crm_events.store.port import EventRecorder
from crm_service.staff import staff_member, staff_of

from crm_ticketing.domain.assignment import AssignmentRules
from crm_ticketing.domain.ticket import Ticket


class Directory(ContextApplication):
    """Finds agents and the assignment rules as they are now.

    A survey that nobody answers times out after `survey_timeout`.
    """

    context = "ticketing"

    def __init__(
        self, recorder: EventRecorder, codec: Codec, secret: bytes, survey_timeout: timedelta
    ) -> None:
        super().__init__(recorder, codec)
        self.secret = secret
        self.survey_timeout = survey_timeout

    def staff(self, id: UUID) -> Staff:
        """Raises StaffUnknown."""
        return staff_member(self.recorder, id)

    def staff_or_none(self, id: UUID) -> Staff | None:
        return staff_of(self.recorder, [id]).get(id)

    @property
    def rules_id(self) -> UUID:
        """The one set of rules of this deployment."""
        return derived_id(self.secret, "", "assignment-rules", "")

    def rules(self, *, expected: int | None = None) -> AssignmentRules:
        """The rules as they are; version 0 before anybody has defined any. Raises StaleVersion."""
        try:
            return self.load(AssignmentRules, self.rules_id, expected=expected)
        except NotFound:
            return AssignmentRules(self.rules_id)

    def change(
        self,
        cause: Cause,
        id: UUID,
        decide: Callable[[Ticket], None],
        expected: int | None,
        *,
        commutes: bool = False,
    ) -> Outcome:
        """Load one ticket, decide, and save it."""

        def change() -> Saving:
            ticket = self.load(Ticket, id, expected=expected)
            decide(ticket)
            return Saving((ticket,))

        return self.execute(cause, change, expected=expected, commutes=commutes)


def assign_by_rules(
    ticket: Ticket,
    rules: AssignmentRules | None,
    agent_of: Callable[[UUID], Staff | None],
    *,
    at: datetime,
) -> None:
    """To whom the rules give the ticket; it stays with nobody where none fits."""
    concern = ticket.concern
    choice = rules.choose(ticket.id, concern.category, concern.channel) if rules else None
    agent = agent_of(choice.agent) if choice else None
    if choice is not None and agent is not None:
        ticket.assign(agent, choice.rules_version, at=at)
