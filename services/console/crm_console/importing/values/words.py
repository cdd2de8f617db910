"""Values that are one of few: yes or no, ratings, priorities, currencies."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from crm_console.importing.errors import BadValue
from crm_console.importing.values.currencies import currency_of
from crm_console.importing.values.reading import NOTHING, Reading, is_nothing

_YES_WORDS: Final = (
    "y yes true t 1 1.0 是 对 有 √ ✓ ✔ answered connected resolved solved closed done completed "
    "已解决 已关闭 已完成 已接听 已接通"
)
_NO_WORDS: Final = (
    "n no false f 0 0.0 否 错 无 没有 × ✗ ✘ abandoned missed unanswered unresolved open new "
    "pending hold on-hold on_hold in_progress "
    "未解决 未关闭 未完成 处理中 待处理 未接听 未接通"
)
_YES: Final = frozenset(_YES_WORDS.split())
_NO: Final = frozenset(_NO_WORDS.split())
_PRIORITIES: Final = {
    "low": "low minor 低 p4 p5 trivial",
    "normal": "normal medium moderate 中 普通 一般 p3",
    "high": "high major important 高 重要 p2",
    "urgent": "urgent critical highest blocker emergency 紧急 特急 加急 p1 p0",
}
_PRIORITY_OF: Final = {
    word: priority for priority, words in _PRIORITIES.items() for word in words.split()
}
_RATING: Final = re.compile(r"([1-5])(?:[.,]0+)?\s*(?:/\s*5|stars?|[星分])?")
_STARS: Final = re.compile(r"([★⭐])\ufe0f?(?:\1\ufe0f?){0,4}☆{0,4}")


def read_flag(text: str) -> Reading:
    """True or false; words of a state such as `solved` and `pending` count too."""
    word = _folded(text)
    if word in _YES:
        return Reading(value=True)
    if word in _NO:
        return Reading(value=False)
    if is_nothing(text):
        return NOTHING
    raise BadValue("is neither yes nor no", "Write yes or no.")


def read_rating(text: str) -> Reading:
    """A whole number from 1 to 5; `3.0`, `4/5`, `4 stars` and `★★★☆☆` count too."""
    if is_nothing(text):
        return NOTHING
    word = _folded(text)
    found = _RATING.fullmatch(word)
    if found:
        return Reading(int(found[1]))
    if _STARS.fullmatch(word):
        return Reading(sum(char in "★⭐" for char in word))
    raise BadValue("is not a rating", "Ratings are whole numbers from 1 to 5.")


def read_priority(text: str) -> Reading:
    """`low`, `normal`, `high` or `urgent`, from the words that mean them."""
    if is_nothing(text):
        return NOTHING
    priority = _PRIORITY_OF.get(_folded(text))
    if priority is None:
        raise BadValue("is not a priority", f"Use {', '.join(_PRIORITIES)}.")
    return Reading(priority)


def read_currency(text: str) -> Reading:
    """An ISO 4217 code."""
    if is_nothing(text):
        return NOTHING
    currency = currency_of(text)
    if currency is None:
        raise BadValue("is not a currency", "Write its ISO code, such as USD or CNY.")
    return Reading(currency)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold()
