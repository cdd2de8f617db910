"""Rules over several fields of one row: amounts with their currency, deals with their outcome."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from crm_console.importing.identity import joined
from crm_console.importing.result import Problem
from crm_console.importing.rows import Column, Draft, Rule
from crm_console.importing.stages import OPEN, Stages
from crm_console.importing.values.reading import Reader


def currency_rule(
    amount: Column | None, field: str, default: str | None, expecting: Callable[[str], Reader]
) -> Rule:
    """An amount is in the currency of its row, else of its own sign, else the default.

    A sign that contradicts the row's currency is a problem; `expecting` rereads a sign that
    several currencies share.
    """

    def settle(draft: Draft) -> None:
        if draft.values.get(field) is None:
            return
        stated, shown = draft.values.get("currency"), draft.hints.get(field)
        if isinstance(stated, str) and shown not in {None, stated} and amount:
            text = joined(draft.cells, amount.indices)
            if expecting(stated)(text).hint != stated:
                reason = f"is in {shown}, but the row's currency is {stated}"
                draft.problems.append(Problem(amount.label, text, reason))
        currency = stated or shown or default
        if currency is not None:
            draft.values["currency"] = currency

    return settle


def outcome_rule(stages: Stages, label: str, zone: ZoneInfo) -> Rule:
    """`outcome` is open, won or lost by the stage. The closing date of an open deal is a plan."""

    def settle(draft: Draft) -> None:
        stage = draft.values.get("stage")
        if stage is None:
            draft.problems.append(Problem(label, "", "is empty"))
            return
        outcome = stages.outcomes[str(stage)]
        draft.values["outcome"] = outcome
        if outcome == OPEN:
            _expect(draft, zone)

    return settle


def _expect(draft: Draft, zone: ZoneInfo) -> None:
    closed = draft.values.get("closed_at")
    if not isinstance(closed, str):
        return
    draft.values["closed_at"] = None
    draft.hints.pop("closed_at", None)
    if draft.values.get("expected_close") is None:
        day = datetime.fromisoformat(closed).astimezone(zone).date()
        draft.values["expected_close"] = day.isoformat()
