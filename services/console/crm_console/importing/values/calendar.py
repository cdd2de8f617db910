"""Taking a written date and time apart, whatever the order and the language of its parts."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, time
from enum import StrEnum
from typing import Final, NamedTuple

from crm_console.importing.errors import BadValue
from crm_console.importing.values.clock import parse_clock


class Order(StrEnum):
    """The order of a date's numbers when four digits of a year do not come first."""

    DMY = "DD/MM/YYYY"
    MDY = "MM/DD/YYYY"
    YMD = "YY/MM/DD"


class Written(NamedTuple):
    """A date as written. `clock` is None for a bare date; its zone is None for local time."""

    day: date
    clock: time | None


_YEAR_FIRST: Final = re.compile(
    r"(?P<year>[0-9]{4})(?:[-/.年](?P<month>[0-9]{1,2})[-/.月](?P<day>[0-9]{1,2})日?"
    r"|(?P<month2>[0-9]{2})(?P<day2>[0-9]{2})(?![0-9]))"
)
_YEAR_LAST: Final = re.compile(
    r"(?P<first>[0-9]{1,2})(?P<mark>[-/.])(?P<second>[0-9]{1,2})(?P=mark)"
    r"(?P<year>[0-9]{4}|[0-9]{2})(?![0-9])"
)
_NAMED: Final = re.compile(
    r"(?:(?P<year>[0-9]{4})[-\s/.]*(?P<month>[a-z]{3,9})[-\s/.]*(?P<day>[0-9]{1,2})"
    r"|(?:(?P<day2>[0-9]{1,2})(?:st|nd|rd|th)?[-\s/.]*(?:of\s+)?(?P<month2>[a-z]{3,9})"
    r"|(?P<month3>[a-z]{3,9})[-.\s]*(?P<day3>[0-9]{1,2})(?:st|nd|rd|th)?)"
    r"[-,\s/.]+(?P<year2>[0-9]{4}|[0-9]{2}))(?![0-9])",
    re.IGNORECASE,
)
_WEEKDAY_BEFORE: Final = re.compile(r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*[.,]*\s+", re.IGNORECASE)
_WEEKDAY_AFTER: Final = re.compile(r"\s*(?:星期|周)[一二三四五六日天]")
_DIGITS_ONLY: Final = re.compile(r"([0-9]{8})([0-9]{2})([0-9]{2})([0-9]{2})?")
_MONTH_NAMES: Final = (
    "jan january|feb february|mar march|apr april|may|jun june|jul july|aug august"
    "|sep sept september|oct october|nov november|dec december"
)
_MONTHS: Final = {
    name: number
    for number, names in enumerate(_MONTH_NAMES.split("|"), 1)
    for name in names.split()
}
_LONGEST: Final = 60


def parse_written(text: str, order: Order | None) -> Written:
    """Reads a date or a date and time; `order` decides where the numbers could be read two ways."""
    if len(text) > _LONGEST:
        raise BadValue("is not a date")
    return _iso(text) or _parsed(_normal(text), order)


def possible_days(text: str) -> dict[Order, date]:
    """The days that a date such as `03/04/2021` can mean; empty for any other shape."""
    if not text[4:5].isdigit() and text[:4].isdigit():
        return {}
    found = _YEAR_LAST.match(_normal(text[:_LONGEST]))
    return _readings(found) if found else {}


def _normal(text: str) -> str:
    wide = unicodedata.normalize("NFKC", text).strip()
    return _WEEKDAY_BEFORE.sub("", wide, count=1) if wide[:1].isalpha() else wide


def _iso(text: str) -> Written | None:
    """The usual case, in C. Its lenient separator is why the shape is looked at first."""
    bare = 10 if text[4:5] == "-" == text[7:8] else 8
    if not text[:4].isdigit() or text[bare : bare + 1] not in {"", "T", " "}:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return Written(moment.date(), moment.timetz() if len(text) > bare else None)


def _parsed(text: str, order: Order | None) -> Written:
    digits = _DIGITS_ONLY.fullmatch(text)
    if digits:
        hours, minutes, seconds = digits[2], digits[3], digits[4] or "00"
        text = f"{digits[1]} {hours}:{minutes}:{seconds}"
    day, end = _day(text, order)
    weekday = _WEEKDAY_AFTER.match(text, end)
    rest = text[weekday.end() if weekday else end :]
    return Written(day, parse_clock(rest) if rest else None)


def _day(text: str, order: Order | None) -> tuple[date, int]:
    year_last = _YEAR_LAST.match(text)
    if year_last:
        return _chosen(_readings(year_last), order), year_last.end()
    found = _YEAR_FIRST.match(text) or _NAMED.match(text)
    if found is None:
        raise BadValue("is not a date that can be read", _remedy(text))
    parts = {name.rstrip("23"): part for name, part in found.groupdict().items() if part}
    month = _MONTHS.get(parts["month"].casefold()) if parts["month"].isalpha() else parts["month"]
    day = _date(parts["year"], month or 0, parts["day"])
    if day is None:
        raise BadValue("is a day that does not exist")
    return day, found.end()


def _remedy(text: str) -> str:
    if not text.isdigit():
        return "Name its form with --date-format, such as DD.MM.YYYY or %d/%b/%y."
    known = {5: "excel", 10: "epoch", 13: "epoch-ms"}.get(len(text))
    return f"If it counts days or seconds, say --date-format {known}." if known else ""


def _readings(found: re.Match[str]) -> dict[Order, date]:
    first, second, last = found["first"], found["second"], found["year"]
    days = {Order.DMY: _date(last, second, first), Order.MDY: _date(last, first, second)}
    if len(first) == len(last):
        days[Order.YMD] = _date(first, second, last)
    return {order: day for order, day in days.items() if day}


def _chosen(days: dict[Order, date], order: Order | None) -> date:
    if order:
        if order not in days:
            raise BadValue(f"is not a date in the order {order}")
        return days[order]
    distinct = set(days.values())
    if len(distinct) != 1:
        raise BadValue(
            "can be read as several dates" if distinct else "is a day that does not exist",
            f"Say --date-format {Order.DMY} or {Order.MDY}.",
        )
    return distinct.pop()


def _date(year: str, month: str | int, day: str) -> date | None:
    number = int(year)
    if len(year) == 2:
        number += 2000 if number < 69 else 1900  # as POSIX does
    try:
        return date(number, int(month), int(day))
    except ValueError:
        return None
