"""What each refusal of pipeline leaves as."""

from __future__ import annotations

from typing import Final

from crm_service.context import CONTEXT_ERRORS
from crm_service.problems import Kind, Registry

ERRORS: Final[Registry] = CONTEXT_ERRORS.extended(
    {
        "staff-unknown": Kind(422, "No such member of staff", "Register them first."),
        "product-exists": Kind(409, "Registered already", "Change the product instead."),
        "product-unknown": Kind(422, "No such product", "Register it first."),
        "pipeline-exists": Kind(409, "Defined already", "Change its stages instead."),
        "pipeline-unknown": Kind(404, "No such pipeline", "Define it first."),
        "stages-refused": Kind(
            422, "The stages cannot be told apart", "Give each stage a key and a name of its own."
        ),
        "stage-unknown": Kind(422, "No such stage now", "Name one of the current stages."),
        "deal-exists": Kind(409, "Opened already", "Advance or amend the deal instead."),
        "deal-closed": Kind(409, "The deal is closed", "Reopen it first."),
        "deal-not-closed": Kind(409, "The deal is open", "Only a closed deal can be reopened."),
        "not-forward": Kind(409, "Not a later stage", "Name a later stage, or move it back."),
        "not-backward": Kind(409, "Not an earlier stage", "Name an earlier stage, or advance it."),
        "negative-amount": Kind(422, "Below zero", "Give zero or more."),
        "currency-mismatch": Kind(422, "Another currency", "Keep to the order's currency."),
        "order-exists": Kind(409, "Placed already", "Amend the order instead."),
        "payment-refused": Kind(
            409, "More than is due, or nothing", "Pay at most what is due, or amend the order."
        ),
        "paid-already": Kind(409, "Paid already", "An order comes to at least what was paid."),
        "import-options": Kind(422, "What is said of the file does not fit", "Correct it."),
        "row-refused": Kind(422, "The row cannot stand", "Correct the column it names."),
    }
)
