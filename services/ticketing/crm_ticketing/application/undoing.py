"""What of ticketing can be undone. Assignment rules stay: tickets of anybody went by them."""

from __future__ import annotations

from typing import Any, Final

from crm_events.contracts.ticketing import (
    FeedbackReceived,
    FeedbackWithdrawn,
    TicketOpened,
    TicketWithdrawn,
)
from crm_service.undoing.kinds import Undoable

from crm_ticketing.domain.feedback import Feedback
from crm_ticketing.domain.ticket import Ticket

UNDOABLES: Final[tuple[Undoable[Any], ...]] = (
    Undoable("feedback", Feedback, FeedbackReceived, FeedbackWithdrawn),
    Undoable("ticket", Ticket, TicketOpened, TicketWithdrawn),
)
