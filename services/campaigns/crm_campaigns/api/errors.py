"""What each refusal of campaigns leaves as."""

from __future__ import annotations

from typing import Final

from crm_service.context import CONTEXT_ERRORS
from crm_service.problems import Kind, Registry

ERRORS: Final[Registry] = CONTEXT_ERRORS.extended(
    {
        "staff-unknown": Kind(422, "No such member of staff", "Register them first."),
        "campaign-exists": Kind(409, "Planned already", "Plan another campaign."),
        "campaign-already-launched": Kind(409, "It runs already", "A campaign is launched once."),
        "campaign-not-launched": Kind(409, "It does not run yet", "Launch the campaign first."),
        "plan-refused": Kind(422, "The plan contradicts itself", "Correct what it names."),
        "response-exists": Kind(409, "Recorded already", "Record another response."),
        "channel-not-planned": Kind(
            422, "The campaign does not run there", "Name one of the campaign's channels."
        ),
    }
)
