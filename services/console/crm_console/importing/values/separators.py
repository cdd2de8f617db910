"""Thousands and decimal separators: what one number shows, and what a whole column proves.

`1,234.5` shows a decimal point and `1,5` a decimal comma. `1,234` and `1.234` show neither: one
separator before exactly three digits. Such a number is read as its column's other numbers are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Final

from crm_console.importing.errors import BadValue, FileRefused


class Mark(StrEnum):
    """The decimal mark that a number shows; COMMA_OR_THREE and POINT_OR_THREE show neither."""

    POINT = "point"
    COMMA = "comma"
    COMMA_OR_THREE = "1,234"
    POINT_OR_THREE = "1.234"


_DIGITS: Final = re.compile(r"[0-9][0-9.,]*|[.,][0-9]+")
_GROUPED: Final = {
    Mark.POINT: re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}|[0-9]*"),
    Mark.COMMA: re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]*"),
}
_SAY_WHICH: Final = "Say --decimal point or --decimal comma."


@lru_cache(maxsize=1 << 16)
def shown_mark(text: str) -> Mark | None:
    """What the first number in a text shows; None without any separator."""
    found = _DIGITS.search(text)
    if found is None:
        return None
    digits = found.group()
    point, comma = digits.rfind("."), digits.rfind(",")
    if point < 0 and comma < 0:
        return None
    if point >= 0 and comma >= 0:
        return Mark.POINT if point > comma else Mark.COMMA
    return _single_mark(digits, max(point, comma))


def _single_mark(digits: str, last: int) -> Mark:
    is_comma = digits[last] == ","
    if digits.count(digits[last]) > 1:
        return Mark.POINT if is_comma else Mark.COMMA
    whole, fraction = digits[:last], digits[last + 1 :]
    if len(fraction) == 3 and 1 <= len(whole) <= 3 and whole[0] != "0":
        return Mark.COMMA_OR_THREE if is_comma else Mark.POINT_OR_THREE
    return Mark.COMMA if is_comma else Mark.POINT


def decimal_mark(
    delimiter: str, column: str, examples: Mapping[Mark, tuple[int, str]]
) -> Mark | None:
    """The column's decimal mark, from one example (line, text) of each kind that it holds.

    None when every number shows its own. `1,234` alone is a thousand, except in files separated
    by semicolons, which come from where a comma is decimal; `1.234` alone is refused.
    """
    proven = [mark for mark in (Mark.POINT, Mark.COMMA) if mark in examples]
    open_ = [mark for mark in (Mark.POINT_OR_THREE, Mark.COMMA_OR_THREE) if mark in examples]
    if not open_:
        return None
    if len(proven) == 1:
        return proven[0]
    if not proven and open_ == [Mark.COMMA_OR_THREE] and delimiter != ";":
        return Mark.POINT
    shown = ", ".join(f"{text!r} (line {line})" for line, text in examples.values())
    raise FileRefused(f"The numbers of column {column} can be read two ways: {shown}.", _SAY_WHICH)


def plain_number(digits: str, mark: Mark | None) -> str:
    """`1.234,5` read with a decimal comma is `1234.5`; without a mark the number's own is used."""
    mark = mark or shown_mark(digits) or Mark.POINT
    decimal, thousands = (".", ",") if mark is Mark.POINT else (",", ".")
    whole, _, fraction = digits.partition(decimal)
    grouping = _GROUPED.get(mark)
    if grouping is None or not grouping.fullmatch(whole) or not (fraction or "0").isdigit():
        raise BadValue(f"is not a number with a decimal {mark}", _SAY_WHICH)
    return f"{whole.replace(thousands, '') or '0'}.{fraction or '0'}"
