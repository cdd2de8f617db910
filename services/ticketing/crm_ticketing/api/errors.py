"""What each refusal of ticketing leaves as."""

from __future__ import annotations

from typing import Final

from crm_service.context import CONTEXT_ERRORS
from crm_service.problems import Kind, Registry

ERRORS: Final[Registry] = CONTEXT_ERRORS.extended(
    {
        "staff-unknown": Kind(422, "No such member of staff", "Register them first."),
        "agent-twice": Kind(422, "An agent is named twice", "Name each agent of a rule once."),
        "feedback-exists": Kind(409, "Received already", "Its ticket is open."),
        "ticket-exists": Kind(409, "Opened already", "Go on with the ticket."),
        "ticket-not-ready": Kind(
            409,
            "The ticket's status does not allow this",
            "open, held, resolved, closed: the problem names those that do.",
        ),
        "survey-unknown": Kind(404, "No such survey", "Take the id from the survey that was sent."),
        "survey-repeated": Kind(409, "Surveyed already", "A resolution is surveyed once."),
        "survey-pending": Kind(
            409, "The survey is not answered", "Close once it is answered or timed out."
        ),
        "survey-locked": Kind(409, "The answer counts for good", "It can be changed for 14 days."),
        "survey-timed-out": Kind(409, "The survey timed out", "It takes no answer any more."),
        "survey-answered": Kind(409, "The survey is answered", "Nothing is left to do."),
        "score-refused": Kind(422, "No score", "Give 1, 2, 3, 4 or 5."),
        "import-options": Kind(422, "What is said of the file does not fit", "Correct it."),
        "row-refused": Kind(422, "The row cannot stand", "Correct the column it names."),
    }
)
