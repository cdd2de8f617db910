"""The parameters every view takes, read from text in the deployment's reporting time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from crm_projections.engine.instants import micros


def _zone(info: ValidationInfo) -> ZoneInfo:
    zone = (info.context or {}).get("zone", ZoneInfo("UTC"))
    if not isinstance(zone, ZoneInfo):
        raise TypeError("context['zone'] must be a ZoneInfo")
    return zone


def _parsed(text: str, zone: ZoneInfo) -> tuple[datetime, bool]:
    """An instant, and whether only a date was given."""
    try:
        return datetime.combine(date.fromisoformat(text), time(), zone), True
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is no date or time; write it as 2026-03-01 or 2026-03-01T09:30:00+08:00"
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)), False


def _micros(moment: datetime, zone: ZoneInfo) -> int:
    """Of an instant that has a date in UTC and in the reporting time zone."""
    try:
        moment.astimezone(zone)
        return micros(moment.astimezone(UTC))
    except OverflowError:
        place = "UTC" if zone.key == "UTC" else f"UTC and in {zone.key}"
        raise ValueError(f"name a time whose year is 1 to 9999 in {place}") from None


def _start(value: Any, info: ValidationInfo) -> Any:
    zone = _zone(info)
    return _micros(_parsed(value, zone)[0], zone) if isinstance(value, str) else value


def _end(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str):
        return value
    zone = _zone(info)
    moment, whole_day = _parsed(value, zone)
    if whole_day:
        moment = datetime.combine(moment, time.max, moment.tzinfo)
    return _micros(moment, zone)


Start = Annotated[int, BeforeValidator(_start)]
"""An instant in microseconds; a date alone is its first moment."""
End = Annotated[int, BeforeValidator(_end)]
"""An instant in microseconds; a date alone is its last moment."""


class ViewParameters(BaseModel):
    """A period [from, to), the instant asked about, and what was known by then.

    Validate with `context={"zone": ZoneInfo(...)}`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    start: Start | None = Field(None, alias="from", description="Begin of the period")
    end: Start | None = Field(None, alias="to", description="End of the period, not included")
    as_of: End | None = Field(None, description="Effects after this are not seen; default: now")
    known_at: End | None = Field(None, description="What was recorded later is not seen")
    by: str | None = Field(None, description="What to break the answer down by")
