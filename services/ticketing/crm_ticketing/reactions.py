"""What makes ticketing act by itself: staff, feedback, resolutions, and surveys nobody answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from crm_events.contracts.contacts import (
    StaffChanged,
    StaffRegistered,
    StaffWithdrawn,
    SubjectErased,
)
from crm_events.contracts.ticketing import FeedbackReceived, TicketResolved
from crm_events.envelope import Envelope
from crm_events.event import Staff
from crm_events.feed.reactor import Reactions, Session
from crm_events.store.mapper import Cause
from crm_events.store.port import Timer
from crm_events.timers import Fire
from crm_service.erasing.forgetting import forget_subject
from crm_service.staff import STAFF, forget_staff, remember_staff, staff_in

from crm_ticketing.application import TicketingApplication
from crm_ticketing.application.directory import assign_by_rules
from crm_ticketing.application.surveys import SURVEY_TIMEOUT, survey_id
from crm_ticketing.domain.assignment import AssignmentRules
from crm_ticketing.domain.concern import Concern
from crm_ticketing.domain.ticket import Ticket

_SUMMARY: Final = 200
"""Characters of a message that its ticket is called by."""


def open_ticket(session: Session, envelope: Envelope, event: FeedbackReceived) -> None:
    """Feedback is a ticket, for the agent whom the rules choose; once for each message."""
    app: TicketingApplication = session.app  # type: ignore[assignment]
    ticket = session.find(Ticket, event.ticket_id) or Ticket(event.ticket_id)
    concern = Concern(event.category, event.channel, customer_id=event.customer_id)
    ticket.open(concern, _summary(event.content), envelope.aggregate_id, at=session.at)
    rules = session.find(AssignmentRules, app.rules_id)
    assign_by_rules(ticket, rules, lambda agent: _agent(session, agent), at=session.at)
    session.add(ticket)


def send_survey(session: Session, envelope: Envelope, event: TicketResolved) -> None:
    """A resolution is surveyed where there is a customer to ask; one from a file asks nobody.

    The customer's time begins when the resolution was recorded, which a back-dated one was long
    before its effect.
    """
    app: TicketingApplication = session.app  # type: ignore[assignment]
    ticket = session.load(Ticket, envelope.aggregate_id)
    if session.origin == "import" or ticket.concern.customer_id is None:
        return
    id_ = survey_id(ticket.id, event.cycle)
    due_at = envelope.recorded_at + app.survey_timeout
    ticket.send_survey(id_, event.cycle, due_at=due_at, at=session.at)
    session.schedule(Timer(id_, SURVEY_TIMEOUT, ticket.id, due_at))


def time_out_survey(app: TicketingApplication, timer: Timer, cause: Cause) -> None:
    app.time_out_survey(cause, timer)


def _summary(content: str | None) -> str | None:
    return None if content is None else " ".join(content.split())[:_SUMMARY] or None


def _agent(session: Session, id: UUID) -> Staff | None:
    return staff_in(session.remembered(STAFF, id))


REACTIONS: Final = Reactions(
    name="ticketing.reactions",
    table={
        StaffRegistered: remember_staff,
        StaffChanged: remember_staff,
        StaffWithdrawn: forget_staff,
        SubjectErased: forget_subject,
        FeedbackReceived: open_ticket,
        TicketResolved: send_survey,
    },
)
TIMERS: Final[Mapping[str, Fire]] = {SURVEY_TIMEOUT: time_out_survey}
