"""From a date as written to an instant in UTC, by the zone that local times of the file are in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crm_console.importing.errors import BadValue, FileRefused
from crm_console.importing.values.calendar import Order, Written, parse_written
from crm_console.importing.values.date_format import DateFormat
from crm_console.importing.values.reading import DATE_ONLY, NOTHING, Reader, Reading, is_nothing

_YEARS: Final = range(1900, 2201)
Parse = Callable[[str], Written]


def zone_named(name: str) -> ZoneInfo:
    """The IANA zone; raises FileRefused."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise FileRefused(
            f"There is no time zone {name!r}.", "Use an IANA name, such as Asia/Shanghai."
        ) from None


def parser(formats: Sequence[DateFormat], inferred: Order | None) -> Parse:
    """Tries the forms a person named, in order; without any, reads by the column's own order."""
    if not formats:
        return lambda text: _within(parse_written(text, inferred))
    parsers = [form.parse or _by_order(form.order) for form in formats]

    def parse(text: str) -> Written:
        for attempt in parsers[:-1]:
            try:
                return _within(attempt(text))
            except BadValue:
                continue
        return _within(parsers[-1](text))

    return parse


def time_reader(parse: Parse, zone: ZoneInfo) -> Reader:
    """ISO 8601 in UTC. A bare date is its local midnight, and its hint is DATE_ONLY."""

    def read(text: str) -> Reading:
        if is_nothing(text):
            return NOTHING
        written = parse(text)
        instant = _instant(written, zone)
        hint = DATE_ONLY if written.clock is None else None
        return Reading(instant.isoformat().replace("+00:00", "Z"), hint)

    return read


def day_reader(parse: Parse, zone: ZoneInfo) -> Reader:
    """A calendar day, `2021-01-05`; of a time it is the day in the file's zone."""

    def read(text: str) -> Reading:
        if is_nothing(text):
            return NOTHING
        written = parse(text)
        if written.clock is None or written.clock.tzinfo is None:
            return Reading(written.day.isoformat())
        return Reading(_instant(written, zone).astimezone(zone).date().isoformat())

    return read


def _by_order(order: Order | None) -> Parse:
    return lambda text: parse_written(text, order)


def _within(written: Written) -> Written:
    if written.day.year not in _YEARS:
        raise BadValue(f"lies outside the years {_YEARS.start} to {_YEARS.stop - 1}")
    return written


def _instant(written: Written, zone: ZoneInfo) -> datetime:
    """Of a local time that a clock change repeats, the first."""
    local = datetime.combine(written.day, written.clock or time.min)
    if local.tzinfo is not None:
        return local.astimezone(UTC)
    instant = local.replace(tzinfo=zone).astimezone(UTC)
    if written.clock is not None and instant.astimezone(zone).replace(tzinfo=None) != local:
        raise BadValue(
            f"was skipped by a clock change in {zone.key}",
            "Say with --timezone which zone the times are in.",
        )
    return instant
