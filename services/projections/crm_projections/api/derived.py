"""Ratios, means and medians at two cuts: not sums of events, but worked out from such sums."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from crm_projections.engine.view import Answer


def derived(names: Iterable[str], before: Answer, after: Answer, key: Any) -> list[dict[str, Any]]:
    """Each of these figures before, after, and its difference where both are there; of the whole,
    or of the group with this key where the answers have groups."""
    then, now = _totals(before, key), _totals(after, key)
    return [_difference(name, then.get(name), now.get(name)) for name in names]


def _totals(answer: Answer, key: Any) -> Mapping[str, Any]:
    """Nothing, of a group that was not there."""
    if answer.groups is None:
        return answer.totals
    found = (group["totals"] for group in answer.groups if group["key"] == key)
    return next(found, {})


def _difference(name: str, before: Any, after: Any) -> dict[str, Any]:
    then, now = _plain(before), _plain(after)
    return {"figure": name, "before": then, "after": now, "difference": _between(then, now)}


def _plain(value: Any) -> Any:
    """Money as a decimal string, in the currency that was asked for."""
    return str(value["amount"]) if isinstance(value, dict) else value


def _between(then: Any, now: Any) -> Any:
    if then is None or now is None:
        return None
    if isinstance(now, str):
        return f"{Decimal(now) - Decimal(then):f}"
    return now - then
