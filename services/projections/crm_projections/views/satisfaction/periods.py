"""Weeks and months as satisfaction names them."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from crm_projections.facts.instants import day_date, day_number, month_name, month_number

_WEEK: Final = re.compile(r"([0-9]{4})-W([0-9]{2})")
FORMS: Final = {"week": "2026-W19", "month": "2026-05"}


def period_name(number: int, by: str) -> str:
    """Weeks are named by their ISO week, months as 2021-01."""
    if by == "month":
        return month_name(number)
    year, week, _ = day_date(number).isocalendar()
    return f"{year}-W{week:02d}"


def period_number(name: str, by: str) -> int | None:
    """The reverse: a month's number, a week's Monday as a day's number; None for no such name."""
    if by == "month":
        return month_number(name)
    found = _WEEK.fullmatch(name)
    try:
        return found and day_number(date.fromisocalendar(int(found[1]), int(found[2]), 1))
    except ValueError:
        return None
