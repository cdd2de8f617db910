"""Facts at the ends of the calendar: refused where they come in, and dated wherever they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, available_timezones

import pytest
from crm_projections.facts.instants import (
    day_date,
    local_day,
    local_day_and_month,
    micros,
    month_name,
)
from crm_service.schemas import Happened
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

TAKEN: TypeAdapter[datetime] = TypeAdapter(Happened)
ZONES = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
BEGIN, END = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")


@given(zone=ZONES, at_end=st.booleans(), after=st.timedeltas(timedelta(), timedelta(days=2)))
def test_every_instant_has_a_day_and_a_month_in_every_zone(
    zone: ZoneInfo, at_end: bool, after: timedelta
) -> None:
    """An event of another producer may say any."""
    moment = micros(END - after if at_end else BEGIN + after)
    day, month = local_day_and_month(moment, zone)
    assert day == local_day(moment, zone)
    assert abs(day - local_day(moment, UTC_ZONE)) <= 1
    assert month_name(month) == day_date(day).isoformat()[:7]


@given(text=st.datetimes(timezones=OFFSETS).map(datetime.isoformat), zone=ZONES)
@example("0001-01-01T00:00:00+14:00", UTC_ZONE)
@example("9999-12-31T23:59:59-14:00", UTC_ZONE)
@example("0002-01-01T00:00:00+00:00", UTC_ZONE)
@example("9998-12-31T23:59:59+00:00", UTC_ZONE)
def test_what_happened_is_taken_with_room_around_it(text: str, zone: ZoneInfo) -> None:
    if _year(text) not in range(2, 9999):
        with pytest.raises(ValidationError, match=r"year is 2 to 9998|out of range"):
            TAKEN.validate_python(text)
        return
    found = TAKEN.validate_python(text)
    assert found.year == _year(text)
    for days in (-30, 0, 30):
        there = (found + timedelta(days=days)).astimezone(zone)
        assert there - found == timedelta(days=days)


def _year(text: str) -> int:
    """In UTC, of which there is none outside the calendar."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC).year
    except OverflowError:
        return 0
