"""What every reader of values gives back, and what counts as nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

JSON = str | int | bool | list[str] | None


class Reading(NamedTuple):
    """A value, and what else its cell said: DATE_ONLY of a time, or the currency of an amount."""

    value: JSON
    hint: str | None = None


Reader = Callable[[str], Reading]

DATE_ONLY: Final = "date"
NOTHING: Final = Reading(None)
_NOTHINGS: Final = frozenset(
    ("", "-", "--", "—", "n/a", "na", "#n/a", "null", "none", "nil", "nan", "nat", "\\n", "无", "/")
)


def is_nothing(text: str) -> bool:
    """How exports write an empty cell of a typed column; plain text columns keep such words."""
    return text.casefold() in _NOTHINGS
