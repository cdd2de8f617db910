"""The vocabulary of the tables in this package."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum


class FieldType(StrEnum):
    """How a cell is read; the value is what `--fields` shows."""

    KEY = "key"
    TEXT = "text"
    LABEL = "label"
    PROSE = "long text"
    PHONE = "phone"
    TAGS = "tags"
    STAGE = "stage"
    MONEY = "money"
    CURRENCY = "currency"
    NUMBER = "number"
    TIME = "date or time"
    DATE = "date"
    FLAG = "yes or no"
    RATING = "rating 1 to 5"
    PRIORITY = "priority"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a kind. A synonym is a header, or two joined by `+`, best one first."""

    name: str
    type: FieldType
    english: str
    chinese: str
    synonyms: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of thing. Without a key column `named_by` identifies it, else the row itself.

    A row must fill every required field and at least one of `one_of`.
    """

    name: str
    fields: tuple[Field, ...]
    one_of: tuple[str, ...] = ()
    named_by: str | None = None

    def field(self, name: str) -> Field | None:
        return next((field for field in self.fields if field.name == name), None)

    @property
    def money_field(self) -> Field | None:
        """At most one amount per kind; its currency is the field `currency`."""
        return next((field for field in self.fields if field.type is FieldType.MONEY), None)


def folded_header(header: str) -> str:
    """`Deal_Stage`, `deal stage` and `DealStage:` are one header."""
    wide = unicodedata.normalize("NFKC", header).casefold()
    return "".join(char for char in wide if char.isalnum())


def synonyms(*groups: str) -> tuple[str, ...]:
    """Headers separated by `|`, in order of preference."""
    return tuple(header.strip() for group in groups for header in group.split("|"))
