"""Events of the ticketing context: feedback, tickets, assignment and satisfaction surveys."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from crm_events.event import Event, Key, LongText, Personal, Staff, Text, Value, Withdrawal

Priority = Literal["low", "normal", "high", "urgent"]
Sentiment = Literal["praise", "complaint", "neutral"]


class FeedbackReceived(Event, context="ticketing"):
    """A customer spoke up; the ticket `ticket_id` opens from it by itself."""

    customer_id: UUID
    ticket_id: UUID
    content: Annotated[LongText | None, Personal("customer_id")]
    category: Key
    channel: Key
    sentiment: Sentiment = "neutral"


class AssignmentRule(Value):
    """Tickets of a category and channel (None = any) go round its agents in turn."""

    category: Key | None = None
    channel: Key | None = None
    agents: Annotated[tuple[UUID, ...], Field(min_length=1)]


class AssignmentRulesDefined(Event, context="ticketing"):
    """The rules from now on, first match wins. `rules_version` counts from 1."""

    rules_version: int = Field(ge=1)
    rules: tuple[AssignmentRule, ...]


class TicketOpened(Event, context="ticketing"):
    customer_id: UUID | None = None
    feedback_id: UUID | None = None
    summary: Annotated[Text | None, Personal("customer_id")] = None
    category: Key
    channel: Key
    priority: Priority = "normal"


class TicketAssigned(Event, context="ticketing"):
    """`rules_version` says which rules chose the agent; None means a person did."""

    agent: Staff
    rules_version: int | None = None


class TicketReplied(Event, context="ticketing"):
    customer_id: UUID | None = None
    body: Annotated[LongText | None, Personal("customer_id")] = None
    public: bool = True
    agent: Staff | None = None


class TicketHeld(Event, context="ticketing", version=2):
    customer_id: UUID | None = None
    reason: Annotated[Text | None, Personal("customer_id")]


class TicketResumed(Event, context="ticketing"):
    """A held ticket is worked on again."""


class TicketResolved(Event, context="ticketing", version=2):
    """`cycle` counts resolutions from 1; `agent` gets the credit for this one."""

    cycle: int = Field(ge=1)
    agent: Staff | None = None
    customer_id: UUID | None = None
    resolution: Annotated[Text | None, Personal("customer_id")] = None


class SurveySent(Event, context="ticketing"):
    """A survey reached the customer. Without an answer it times out at `due_at`."""

    survey_id: UUID
    cycle: int = Field(ge=0)
    channel: Key
    due_at: AwareDatetime | None = None


class SurveyScored(Event, context="ticketing"):
    """The customer answered 1 to 5; credit goes to who resolved the cycle, else who handled it.

    A later answer replaces this one until `locks_at`, when there is such a time.
    """

    survey_id: UUID
    cycle: int = Field(ge=0)
    score: int = Field(ge=1, le=5)
    customer_id: UUID | None = None
    comment: Annotated[LongText | None, Personal("customer_id")] = None
    agent: Staff | None = None
    locks_at: AwareDatetime | None = None


class SurveyTimedOut(Event, context="ticketing"):
    survey_id: UUID
    cycle: int = Field(ge=0)


class TicketClosed(Event, context="ticketing"):
    resolved: bool = True


class TicketReopened(Event, context="ticketing", version=2):
    customer_id: UUID | None = None
    reason: Annotated[Text | None, Personal("customer_id")] = None


class TicketAmended(Event, context="ticketing"):
    """What the ticket is about was corrected; every field is the value from now on."""

    customer_id: UUID | None = None
    category: Key
    channel: Key
    priority: Priority = "normal"


class FeedbackWithdrawn(Withdrawal, context="ticketing"):
    """What was said of a message is undone."""


class TicketWithdrawn(Withdrawal, context="ticketing"):
    """What was said of a ticket is undone; a ticket that is gone is in no figure."""
