"""Feedback: a customer spoke up, and a ticket opens from it by itself."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from crm_events.contracts.ticketing import FeedbackReceived, Sentiment
from crm_events.domain import Aggregate, DomainError, applies


class FeedbackExists(DomainError):
    slug: ClassVar[str] = "feedback-exists"

    def __init__(self) -> None:
        super().__init__("This feedback has been received already; its ticket is open.")


class Feedback(Aggregate):
    """One message of one customer; `ticket_id` is the ticket it becomes."""

    def __init__(self, id: UUID) -> None:
        super().__init__(id)
        self.ticket_id: UUID | None = None

    def receive(
        self,
        customer_id: UUID,
        ticket_id: UUID,
        content: str,
        *,
        category: str,
        channel: str,
        sentiment: Sentiment = "neutral",
        at: datetime,
    ) -> None:
        """Raises FeedbackExists."""
        if self.begun:
            raise FeedbackExists
        self.record(
            FeedbackReceived(
                customer_id=customer_id,
                ticket_id=ticket_id,
                content=content,
                category=category,
                channel=channel,
                sentiment=sentiment,
            ),
            at=at,
        )

    @applies(FeedbackReceived)
    def _received(self, event: FeedbackReceived) -> None:
        self.ticket_id = event.ticket_id
