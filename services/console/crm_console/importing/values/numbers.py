"""Numbers and amounts of money as people write them, to exact decimal text."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Final

from crm_console.importing.errors import BadValue
from crm_console.importing.values.currencies import currency_of
from crm_console.importing.values.reading import NOTHING, Reader, Reading, is_nothing
from crm_console.importing.values.separators import Mark, plain_number

_AMOUNT: Final = re.compile(
    r"(?P<open>\()?\s*(?P<sign>[-+])?\s*"
    r"(?P<before>rs\.|[^\d\s().,+-][^\d.,+-]*?)?\s*(?P<sign2>[-+])?\s*"
    r"(?P<digits>\d[\d.,]*|[.,]\d+)(?P<power>[eE][-+]?\d{1,2})?"
    r"\s*(?P<after>[^\d().]*?)(?P<minus>-)?\s*(?P<close>\))?",
    re.ASCII | re.IGNORECASE,
)
_THOUSANDS_BLANK: Final = re.compile(r"(?<=[0-9])['’\s](?=[0-9]{3}(?![0-9]))")
_SCALES: Final = {
    "million": 6,
    "billion": 9,
    "thousand": 3,
    "千万": 7,
    "百万": 6,
    "mio": 6,
    "mm": 6,
    "mn": 6,
    "bn": 9,
    "k": 3,
    "m": 6,
    "b": 9,
    "千": 3,
    "万": 4,
    "萬": 4,
    "亿": 8,
    "億": 8,
}
_LONGEST: Final = 60
_MOST_DIGITS: Final = 14
_MOST_DECIMALS: Final = 6


def amount_reader(mark: Mark | None, expected: str | None) -> Reader:
    """Reads money; the hint is the currency the cell itself names, `expected` where it may be."""

    def read(text: str) -> Reading:
        if is_nothing(text):
            return NOTHING
        number, currencies = _parsed(text, mark, expected)
        if len(currencies) > 1:
            raise BadValue(f"names two currencies, {' and '.join(sorted(currencies))}")
        return Reading(number, next(iter(currencies), None))

    return read


def number_reader(mark: Mark | None) -> Reader:
    """Reads a number that has no currency."""

    def read(text: str) -> Reading:
        if is_nothing(text):
            return NOTHING
        number, currencies = _parsed(text, mark, None)
        if currencies:
            raise BadValue("is an amount of money where a plain number belongs")
        return Reading(number)

    return read


def exact(number: Decimal) -> str:
    """Decimal text without exponent, trailing zeros or minus zero, within what money can hold."""
    if number.adjusted() >= _MOST_DIGITS:
        raise BadValue(f"is too large; at most {_MOST_DIGITS} digits before the decimal mark")
    text = f"{number:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if len(text.partition(".")[2]) > _MOST_DECIMALS:
        raise BadValue(f"has more than {_MOST_DECIMALS} decimals", "Round it in the file.")
    return "0" if text == "-0" else text


def _parsed(text: str, mark: Mark | None, expected: str | None) -> tuple[str, set[str]]:
    if len(text) > _LONGEST:
        raise BadValue("is not a number")
    wide = unicodedata.normalize("NFKC", text).replace("\u2212", "-").strip()
    found = _AMOUNT.fullmatch(_THOUSANDS_BLANK.sub("", wide))
    if found is None or bool(found["open"]) != bool(found["close"]):
        raise BadValue("is not a number")
    number = Decimal(plain_number(found["digits"], mark) + (found["power"] or ""))
    scale, unit = _scale(found["after"])
    number = number.scaleb(scale)
    words = [word for word in (found["before"], unit) if word]
    return exact(-number if _is_negative(found) else number), _currencies(words, expected)


def _is_negative(found: re.Match[str]) -> bool:
    signs = [
        part for part in (found["open"], found["sign"], found["sign2"], found["minus"]) if part
    ]
    if len(signs) > 1:
        raise BadValue("has more than one sign")
    return bool(signs) and signs[0] != "+"


def _scale(after: str) -> tuple[int, str]:
    """The power of ten of a suffix such as K or 万, and what is left of the text."""
    word = after.strip().casefold()
    if currency_of(word) and word not in _SCALES:
        return 0, word
    for suffix, power in _SCALES.items():
        rest = word.removeprefix(suffix)
        if rest != word and (not rest or currency_of(rest)):
            return power, rest
    return 0, word


def _currencies(words: list[str], expected: str | None) -> set[str]:
    found = {word: currency_of(word, expected) for word in words}
    unknown = [word for word, currency in found.items() if currency is None]
    if unknown:
        raise BadValue(f"has {unknown[0].strip()!r}, which is neither a unit nor a currency")
    return {currency for currency in found.values() if currency}
