"""`--date-format`: an order such as DD/MM/YYYY, a full form, a strptime form, or a count."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from crm_console.importing.errors import BadValue, FileRefused
from crm_console.importing.values.calendar import Order, Written

_TOKEN: Final = re.compile(r"Y+|M+|D+|H+|S+|A|Z+", re.IGNORECASE)
_DATE_TOKENS: Final = {
    "yyyy": "%Y",
    "yy": "%y",
    "mmmm": "%B",
    "mmm": "%b",
    "mm": "%m",
    "m": "%m",
    "dd": "%d",
    "d": "%d",
}
_TIME_TOKENS: Final = {"ss": "%S", "s": "%S", "sss": "%f", "a": "%p", "z": "%z", "zz": "%z"}
_EXAMPLES: Final = "Examples: DD/MM/YYYY, YYYY-MM-DD HH:mm:ss, %d %b %Y, epoch, epoch-ms, excel."
_ORDERS: Final = {"dmy": Order.DMY, "mdy": Order.MDY, "ymd": Order.YMD}
_EXCEL_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - a count of local days
_CLOCK_DIRECTIVES: Final = re.compile(r"%[HIXcpsTR]")


@dataclass(frozen=True, slots=True)
class DateFormat:
    """Either only an order, or a parser that accepts nothing but its own form."""

    order: Order | None
    parse: Callable[[str], Written] | None


def date_format(text: str) -> DateFormat:
    """What the person asked for; raises FileRefused with examples."""
    counts = {"epoch": _epoch(1), "epoch-ms": _epoch(1000), "excel": _excel}
    if text.casefold() in counts:
        return DateFormat(None, counts[text.casefold()])
    if "%" in text:
        return DateFormat(None, _strptime(text, text))
    order = _order(text)
    return (
        DateFormat(order, None) if order else DateFormat(None, _strptime(_directives(text), text))
    )


def _order(text: str) -> Order | None:
    """DD/MM/YYYY in any case and with any separator says the order, whatever time follows."""
    parts = re.split(r"[-/.]", text.casefold())
    is_plain = all(part in {"d", "dd", "m", "mm", "yy", "yyyy"} for part in parts)
    return _ORDERS.get("".join(part[0] for part in parts)) if is_plain and "" not in parts else None


def _directives(text: str) -> str:
    """`DD/MM/YYYY HH:mm` as strptime wants it; MM after the hour is minutes in either case."""
    seen_hour = False
    out: list[str] = []
    end = 0
    for token in _TOKEN.finditer(text):
        out.append(text[end : token.start()].replace("%", "%%"))
        word = token.group()
        if word[0] in "Hh":
            seen_hour = True
            out.append("%I" if word[0] == "h" and "a" in text.casefold() else "%H")
        elif seen_hour and word[0] in "Mm" and "%M" not in out:
            out.append("%M")
        else:
            out.append(_directive(word, text))
        end = token.end()
    return "".join([*out, text[end:]])


def _directive(word: str, text: str) -> str:
    found = (_DATE_TOKENS | _TIME_TOKENS).get(word.casefold())
    if found is None:
        raise FileRefused(f"--date-format {text!r} has an unknown part {word!r}.", _EXAMPLES)
    return found


def _strptime(form: str, said: str) -> Callable[[str], Written]:
    probe = datetime(2021, 12, 31, 23, 59, 58, tzinfo=UTC)
    try:
        back = datetime.strptime(probe.strftime(form), form)  # noqa: DTZ007 - zones come later
    except (ValueError, re.error):
        back = None
    if back is None or back.date() != probe.date():
        raise FileRefused(f"--date-format {said!r} names no full date.", _EXAMPLES)
    has_clock = bool(_CLOCK_DIRECTIVES.search(form))

    def parse(text: str) -> Written:
        try:
            moment = datetime.strptime(text, form)  # noqa: DTZ007 - zones come later
        except ValueError:
            raise BadValue(f"does not have the form {said}") from None
        return Written(moment.date(), moment.timetz() if has_clock else None)

    return parse


def _epoch(per_second: int) -> Callable[[str], Written]:
    start = datetime(1970, 1, 1, tzinfo=UTC)

    def parse(text: str) -> Written:
        moment = _after(start, timedelta(seconds=_count(text) / per_second))
        return Written(moment.date(), moment.timetz())

    return parse


def _excel(text: str) -> Written:
    """Fractions of a day are rounded to the second, which is all that they are exact to."""
    moment = _after(_EXCEL_EPOCH, timedelta(seconds=round(_count(text) * 86_400)))
    clock = moment.time()
    return Written(moment.date(), clock if clock != clock.min else None)


def _count(text: str) -> float:
    if not re.fullmatch(r"-?[0-9]{1,13}(\.[0-9]+)?", text):
        raise BadValue("is not a count of days or seconds")
    return float(text)


def _after(start: datetime, elapsed: timedelta) -> datetime:
    try:
        return start + elapsed
    except OverflowError:
        raise BadValue("counts more days than the calendar has") from None
