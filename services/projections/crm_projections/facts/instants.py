"""Instants as views keep them: whole microseconds since 1970, UTC; the same on every database."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from crm_events.sql.instants import from_micros, to_micros

FOREVER: Final = 2**62
"""Later than any instant and any sequence: the end of what is still so."""
DAY: Final = 86_400_000_000
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_MONTH: Final = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_LAST_MONTH: Final = 9999 * 12 + 11


@dataclass(frozen=True, slots=True)
class Reporting:
    """How a deployment reports: its days and months in this zone, its sums in this currency."""

    zone: ZoneInfo
    currency: str


micros: Final = to_micros
"""Microseconds since the epoch of an aware instant."""
instant: Final = from_micros
"""The reverse of `micros`, in UTC."""


def _there(micros_: int, zone: ZoneInfo) -> datetime:
    """In a zone; where that has no date for it, at either end of the calendar, in UTC."""
    moment = instant(micros_)
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment


def local_day(micros_: int, zone: ZoneInfo) -> int:
    """The local date in a zone, in days since 1970-01-01."""
    return _there(micros_, zone).toordinal() - _EPOCH_DAY


def last_day_before(micros_: int, zone: ZoneInfo) -> int:
    """The local date right before an instant; before the first date of all, the day before it."""
    try:
        return instant(micros_ - 1).astimezone(zone).toordinal() - _EPOCH_DAY
    except OverflowError:
        return -_EPOCH_DAY


def local_month(micros_: int, zone: ZoneInfo) -> int:
    """The local calendar month in a zone, in months since year 0."""
    return local_day_and_month(micros_, zone)[1]


def local_day_and_month(micros_: int, zone: ZoneInfo) -> tuple[int, int]:
    there = _there(micros_, zone)
    return there.toordinal() - _EPOCH_DAY, there.year * 12 + there.month - 1


def month_name(month: int) -> str:
    """`1997-01` for the month that `local_month` numbers so."""
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


def month_number(name: str) -> int | None:
    """The reverse of `month_name`; None for what names no month."""
    found = _MONTH.fullmatch(name)
    return None if found is None else int(found[1]) * 12 + int(found[2]) - 1


def month_start(month: int, zone: ZoneInfo) -> int:
    """The first instant of a local calendar month; of one after the last year, when that ends."""
    if month > _LAST_MONTH:
        return micros(datetime(9999, 12, 1, tzinfo=zone)) + 31 * DAY
    return micros(datetime(month // 12, month % 12 + 1, 1, tzinfo=zone))


def day_date(day: int) -> date:
    """The date that `local_day` numbers so."""
    return date.fromordinal(day + _EPOCH_DAY)


def day_number(day: date) -> int:
    """The reverse of `day_date`."""
    return day.toordinal() - _EPOCH_DAY
