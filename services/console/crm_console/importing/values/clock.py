"""The time of day behind a date: 24 or 12 hours, Chinese, with or without a zone."""

from __future__ import annotations

import re
from datetime import UTC, time, timedelta, timezone, tzinfo
from typing import Final

from crm_console.importing.errors import BadValue

_CLOCK: Final = re.compile(
    r"(?:[T\s,]+)?(?:at\s+)?(?P<half>上午|下午|中午|晚上|凌晨)?\s*"
    r"(?P<hour>[0-9]{1,2})"
    r"(?P<rest>[:时点]\s*(?P<minute>[0-9]{1,2})"
    r"(?:[:分]\s*(?P<second>[0-9]{1,2})(?:[.,](?P<fraction>[0-9]{1,9}))?秒?|分)?|[时点])?"
    r"\s*(?P<half2>[ap]\.?m\.?)?"
    r"\s*(?P<zone>Z|(?:UTC|GMT)?(?P<sign>[-+])(?P<ahead>[0-9]{1,2})(?::?(?P<minutes>[0-9]{2}))?"
    r"|UTC|GMT)?",
    re.IGNORECASE,
)
_AFTERNOON: Final = ("下午", "晚上", "中午", "p")


def parse_clock(text: str) -> time:
    """Raises BadValue for anything that is not wholly a time of day."""
    found = _CLOCK.fullmatch(text)
    half = (found["half"] or found["half2"] or "") if found else ""
    if found is None or not (found["rest"] or half):
        raise BadValue("is not a time that can be read")
    hour = _hour(int(found["hour"]), half.casefold())
    try:
        return time(
            hour,
            int(found["minute"] or 0),
            int(found["second"] or 0),
            int((found["fraction"] or "0").ljust(6, "0")[:6]),
            tzinfo=_zone(found),
        )
    except ValueError:
        raise BadValue("has a time of day that does not exist") from None


def _hour(hour: int, half: str) -> int:
    if not half:
        return hour
    if half[0] in "ap" and not 1 <= hour <= 12:
        raise BadValue("has an hour that AM or PM cannot follow")
    if half.startswith(_AFTERNOON):
        return hour + 12 if hour < 12 and not (half == "中午" and hour > 10) else hour
    return 0 if hour == 12 else hour


def _zone(found: re.Match[str]) -> tzinfo | None:
    if not found["zone"]:
        return None
    if not found["sign"]:
        return UTC
    ahead = timedelta(hours=int(found["ahead"]), minutes=int(found["minutes"] or 0))
    return timezone(ahead if found["sign"] == "+" else -ahead)
