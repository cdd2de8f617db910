"""How the figures of views read for people: their names, their formats, which tell the most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

ABSENT: Final = "–"
_RATES: Final = frozenset(
    (
        "win_rate_closed",
        "won_share_all",
        "step_conversion",
        "overall_conversion",
        "drop_off",
        "stage_loss_rate",
        "response_rate",
        "survey_coverage",
        "top2_box",
        "top2_box_low",
        "top2_box_high",
        "bottom2_box",
        "repeat_rate",
        "repeat_rate_by_day",
        "customer_retention_rate",
        "customer_retention_rate_textbook",
        "转化率",
        "失败率",
    )
)
_NAMES: Final[Mapping[str, str]] = {
    "win_rate_closed": "win rate",
    "won_share_all": "won of all",
    "won_amount_mean": "mean won amount",
    "days_to_close_mean": "mean days to close",
    "days_to_close_median": "median days to close",
    "days_to_win_mean": "mean days to win",
    "days_to_win_median": "median days to win",
    "days_in_stage_median": "median days in stage",
    "top2_box": "top-2 box",
    "top2_box_low": "top-2 box, at least",
    "top2_box_high": "top-2 box, at most",
    "bottom2_box": "bottom-2 box",
    "customer_retention_rate": "retention rate",
    "customer_retention_rate_textbook": "retention rate, textbook",
}
_TELLING: Final[Mapping[str, Sequence[str]]] = {
    "funnel": ("units", "open", "won", "lost", "win_rate_closed", "won_amount", "days_to_win_mean"),
    "satisfaction": ("tickets", "responses", "response_rate", "mean", "top2_box", "bottom2_box"),
    "retention": ("customers", "orders", "revenue", "repeat_rate", "customer_retention_rate"),
}
_MOST: Final = 7


def called(figure: str) -> str:
    """A figure's name as the head of a column."""
    return _NAMES.get(figure, figure.replace("_", " "))


def telling(view: str, figures: Sequence[str]) -> list[str]:
    """The few figures that a table of groups has room for."""
    chosen = [figure for figure in _TELLING.get(view, ()) if figure in figures]
    return chosen or list(figures[:_MOST])


def shown(figure: str, value: Any) -> str:
    """A figure's value: a ratio as a percentage, anything else as `text` has it."""
    return _percent(value) if figure in _RATES else text(value)


def text(value: Any) -> str:
    """A value as a person reads it."""
    if value is None:
        return ABSENT
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, dict) and set(value) == {"amount", "currency"}:
        return f"{Decimal(value['amount']):,.2f} {value['currency']}"
    return str(value)


def _percent(value: float | None) -> str:
    """A ratio as a percentage with two decimals."""
    return ABSENT if value is None else f"{value * 100:.2f} %"
