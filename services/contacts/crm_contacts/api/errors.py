"""What each refusal of contacts leaves as."""

from __future__ import annotations

from typing import Final

from crm_service.context import CONTEXT_ERRORS
from crm_service.problems import Kind, Registry

ERRORS: Final[Registry] = CONTEXT_ERRORS.extended(
    {
        "erased-already": Kind(409, "Erased before", "Nothing is left to erase."),
        "staff-exists": Kind(409, "Registered already", "Change the record instead."),
        "staff-unknown": Kind(422, "No such member of staff", "Register them first."),
        "own-manager": Kind(422, "Nobody is their own manager", "Name another manager, or none."),
        "organisation-exists": Kind(409, "Registered already", "Change the record instead."),
        "organisation-unknown": Kind(422, "No such organisation", "Register it first."),
        "person-exists": Kind(409, "Registered already", "Change the record instead."),
        "person-unknown": Kind(422, "No such person", "Register them first."),
        "phase-not-ahead": Kind(
            409,
            "The lifecycle only goes forward",
            "prospect, signed, end_user, repeat: name a phase after the customer's own.",
        ),
        "lead-exists": Kind(409, "Captured already", "Tag, assign or qualify it instead."),
        "lead-already-qualified": Kind(409, "Qualified already", "Convert or disqualify it."),
        "lead-already-disqualified": Kind(409, "Disqualified already", "Qualify it to take it up."),
        "lead-already-converted": Kind(409, "Converted already", "Go on with the deal it became."),
        "lead-not-qualified": Kind(409, "Not qualified", "Qualify the lead before converting it."),
    }
)
