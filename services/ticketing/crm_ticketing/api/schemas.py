"""The bodies that ticketing takes, and what its answers add."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from crm_events.contracts.ticketing import AssignmentRule, Priority, Sentiment
from crm_events.event import Key, LongText, Text
from crm_service.context import Dated
from crm_service.schemas import Answer, Body
from pydantic import Field, field_validator


class ReceiveFeedback(Dated):
    """A customer spoke up; a ticket opens from it by itself."""

    customer_id: UUID
    content: LongText
    category: Key
    channel: Key
    sentiment: Sentiment = "neutral"


class FeedbackReceived(Answer):
    """`ticket_id` is the ticket that opens from it."""

    ticket_id: str


class RuleIn(Body):
    """Tickets of a category and channel (null = any) are spread evenly over its agents."""

    category: Key | None = None
    channel: Key | None = None
    agents: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=1_000)]


class DefineAssignmentRules(Dated):
    """All rules from now on, first match wins; an empty list assigns nothing by itself."""

    rules: tuple[RuleIn, ...] = Field(max_length=200)

    def in_events(self) -> list[AssignmentRule]:
        return [AssignmentRule(**rule.model_dump()) for rule in self.rules]


class OpenTicket(Dated):
    """For the named agent, else for the one whom the rules choose."""

    customer_id: UUID | None = None
    category: Key
    channel: Key
    priority: Priority = "normal"
    summary: Text | None = None
    agent_id: UUID | None = None


class AssignTicket(Dated):
    agent_id: UUID


class ReplyToTicket(Dated):
    """To the customer unless it is not `public`; by the ticket's agent unless one is named."""

    body: LongText
    public: bool = True
    agent_id: UUID | None = None


class HoldTicket(Dated):
    reason: Text


class ResumeTicket(Dated):
    """A held ticket is worked on again."""


class ResolveTicket(Dated):
    """The customer is asked how it went; `resolution` says what was done."""

    resolution: Text | None = None


class CloseTicket(Dated):
    """Once its survey is answered or timed out."""


class ReopenTicket(Dated):
    reason: Text | None = None


class AmendTicket(Dated):
    """Fields that are not there stay; a null customer takes the customer away."""

    customer_id: UUID | None = None
    category: Key | None = None
    channel: Key | None = None
    priority: Priority | None = None

    @field_validator("category", "channel", "priority")
    @classmethod
    def _stays(cls, value: object) -> object:
        """Only what is sent comes by here, never a default."""
        if value is None:
            raise ValueError("a ticket always has one; leave it out to keep it")
        return value

    def changes(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.model_fields_set - {"occurred_at"}}


class ScoreSurvey(Dated):
    """1 is worst and 5 is best."""

    score: Annotated[int, Field(ge=1, le=5, strict=True)]
    comment: LongText | None = None
