"""What a ticket is about, how it stands, and what its status stands in the way of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal
from uuid import UUID

from crm_events.contracts.ticketing import Priority
from crm_events.domain import DomainError

Status = Literal["new", "open", "held", "resolved", "closed"]


class TicketExists(DomainError):
    slug: ClassVar[str] = "ticket-exists"

    def __init__(self) -> None:
        super().__init__("The ticket has been opened already.")


class TicketNotReady(DomainError):
    """The ticket's status does not allow this; the message names those that do."""

    slug: ClassVar[str] = "ticket-not-ready"

    def __init__(self, status: Status, wanted: tuple[Status, ...]) -> None:
        super().__init__(f"The ticket is {status}; this needs one that is {' or '.join(wanted)}.")


@dataclass(frozen=True, slots=True)
class Concern:
    """What a ticket is about."""

    category: str
    channel: str
    priority: Priority = "normal"
    customer_id: UUID | None = None
