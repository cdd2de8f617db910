"""A row of a file of tickets, and what it leaves unsaid."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from crm_events.contracts.ticketing import Priority
from crm_events.event import Key, LongText, Text
from crm_service.schemas import Body, Happened
from pydantic import Field

UNKNOWN: Final = "unknown"
"""The category or channel of a row that names none; it is counted as a group of its own."""
_SUMMARY: Final = 500


class TicketRow(Body):
    """A field that the row does not have stays as it is known.

    A row that has a `rating`, though it be null, is of a customer who was asked for one. What is
    `answered` was replied to by its agent. Without `resolved`, a ticket with a closing date is
    resolved. Times that are missing are that of opening.
    """

    customer_id: UUID | None = None
    customer_key: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    agent_id: UUID | None = None
    category: Key | None = None
    channel: Key | None = None
    priority: Priority | None = None
    subject: Text | None = None
    content: LongText | None = None
    opened_at: Happened | None = None
    closed_at: Happened | None = None
    answered: bool | None = None
    resolved: bool | None = None
    rating: Annotated[int, Field(ge=1, le=5)] | None = None
    comment: LongText | None = None

    @property
    def rateable(self) -> bool:
        return "rating" in self.model_fields_set

    @property
    def is_resolved(self) -> bool:
        return self.closed_at is not None if self.resolved is None else self.resolved

    @property
    def is_closed(self) -> bool:
        return self.is_resolved or self.closed_at is not None

    @property
    def summary(self) -> str | None:
        """Subject and content in one line of up to 500 characters."""
        said = " ".join(part for part in (self.subject, self.content) if part)
        return " ".join(said.split())[:_SUMMARY] or None

    def opened(self, now: datetime) -> datetime:
        return self.opened_at or self.closed_at or now

    def ended(self, now: datetime) -> datetime:
        return self.closed_at or self.opened_at or now
