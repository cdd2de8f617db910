"""A changed event class against what is stored: what is let through and what needs a version."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import pytest
from crm_events.event import Event, Key, Money, Personal, Text, Value
from crm_events.schemas.compatible import breaks
from crm_events.schemas.generated import Schema, schema_of
from pydantic import AwareDatetime, Field, StringConstraints, create_model


class Happened(Event, context="contacts"):
    """The event under change."""


class Part(Value):
    key: Key


class StricterPart(Value):
    key: Annotated[str, StringConstraints(min_length=2, max_length=200)]


class PoorerPart(Value):
    pass


class RicherPart(Value):
    key: Key
    note: Text | None = None


class Greedy(Value):
    key: Key
    note: Text


Short: Final = Annotated[str, StringConstraints(min_length=1, max_length=50)]
Coded: Final = Annotated[str, StringConstraints(pattern=r"^[A-Z]+$")]
Exact: Final = Annotated[Decimal, Field(max_digits=10, decimal_places=2)]
Finer: Final = Annotated[Decimal, Field(max_digits=10, decimal_places=4)]
Larger: Final = Annotated[Decimal, Field(max_digits=12, decimal_places=3)]
Positive: Final = Annotated[Decimal, Field(max_digits=10, decimal_places=2, ge=0)]

REFUSED: Final[list[tuple[str, dict[str, Any], dict[str, Any], str]]] = [
    ("removed", {"a": (Text, "x")}, {}, "a was removed"),
    ("removed optional", {"a": (Text | None, None)}, {}, "a was removed"),
    ("renamed", {"a": (Text, ...)}, {"b": (Text, ...)}, "a was removed"),
    ("new required", {}, {"a": (Text, ...)}, "a became required"),
    ("made required", {"a": (Text | None, None)}, {"a": (Text, ...)}, "a became required"),
    ("other type", {"a": (Text, ...)}, {"a": (int, ...)}, "a was string and is integer"),
    ("narrower type", {"a": (float, ...)}, {"a": (int, ...)}, "a was number and is integer"),
    ("text to id", {"a": (Text, ...)}, {"a": (UUID, ...)}, "a has another format"),
    ("id to instant", {"a": (UUID, ...)}, {"a": (AwareDatetime, ...)}, "a has another format"),
    (
        "fewer choices",
        {"a": (Literal["x", "y"], ...)},
        {"a": (Literal["x"], ...)},
        "a no longer takes y",
    ),
    (
        "other choices",
        {"a": (Literal["x", "y"], ...)},
        {"a": (Literal["x", "z"], ...)},
        "a no longer takes y",
    ),
    ("text to choices", {"a": (str, ...)}, {"a": (Literal["x", "y"], ...)}, "takes only x, y now"),
    ("shorter", {"a": (Text, ...)}, {"a": (Short, ...)}, "a has a lower maxLength, 50"),
    ("first limit", {"a": (str, ...)}, {"a": (Text, ...)}, "a has a lower maxLength, 500"),
    ("not empty", {"a": (str, ...)}, {"a": (Text, ...)}, "a has a higher minLength, 1"),
    ("pattern", {"a": (str, ...)}, {"a": (Coded, ...)}, "a has another pattern"),
    ("floor", {"a": (int, ...)}, {"a": (int, Field(ge=1))}, "a has a higher minimum, 1"),
    ("ceiling", {"a": (int, Field(le=5))}, {"a": (int, Field(le=4))}, "a lower maximum, 4"),
    ("digits", {"a": (Exact, ...)}, {"a": (Finer, ...)}, "a has a lower x-digits-before-point, 6"),
    ("places", {"a": (Finer, ...)}, {"a": (Exact, ...)}, "a has a lower x-digits-after-point, 2"),
    ("sign", {"a": (Exact, ...)}, {"a": (Positive, ...)}, "a has a higher x-minimum, 0"),
    ("default", {"a": (bool, False)}, {"a": (bool, True)}, "a means something else where it is"),
    ("new default", {"a": (int | None, None)}, {"a": (int, 7)}, "a means something else where it"),
    (
        "marked",
        {"a": (Text | None, None)},
        {"a": (Annotated[Text | None, Personal()], None)},
        "a changed its personal marking",
    ),
    (
        "unmarked",
        {"a": (Annotated[Text | None, Personal()], None)},
        {"a": (Text | None, None)},
        "a changed its personal marking",
    ),
    (
        "other subject",
        {"b": (UUID, ...), "a": (Annotated[Text | None, Personal()], None)},
        {"b": (UUID, ...), "a": (Annotated[Text | None, Personal("b")], None)},
        "a changed its personal marking",
    ),
    (
        "shorter inside the seal",
        {"a": (Annotated[Text | None, Personal()], None)},
        {"a": (Annotated[Short | None, Personal()], None)},
        "a has a lower maxLength, 50",
    ),
    ("in a part", {"a": (Part, ...)}, {"a": (StricterPart, ...)}, "a.key has a higher minLength"),
    ("gone from a part", {"a": (Part, ...)}, {"a": (PoorerPart, ...)}, "a.key was removed"),
    ("asked of a part", {"a": (Part, ...)}, {"a": (Greedy, ...)}, "a.note became required"),
    (
        "in a list",
        {"a": (tuple[Part, ...], ())},
        {"a": (tuple[StricterPart, ...], ())},
        "a[].key has a higher minLength, 2",
    ),
    (
        "longer list",
        {"a": (tuple[Key, ...], ...)},
        {"a": (tuple[Key, ...], Field(min_length=1))},
        "a has a higher minItems, 1",
    ),
    ("fewer types", {"a": (int | Text, ...)}, {"a": (int, ...)}, "a no longer takes all it took"),
    ("other part", {"a": (Part, ...)}, {"a": (Money, ...)}, "a.key was removed"),
]

ALLOWED: Final[list[tuple[str, dict[str, Any], dict[str, Any]]]] = [
    ("nothing", {"a": (Text, ...)}, {"a": (Text, ...)}),
    ("new optional", {}, {"a": (Text | None, None)}),
    ("new with a default", {}, {"a": (bool, False)}),
    ("new personal", {}, {"a": (Annotated[Text | None, Personal()], None)}),
    ("longer", {"a": (Short, ...)}, {"a": (Text, ...)}),
    ("no limit", {"a": (Text, ...)}, {"a": (str, ...)}),
    ("more choices", {"a": (Literal["x"], ...)}, {"a": (Literal["x", "y"], ...)}),
    ("choices to text", {"a": (Literal["x", "y"], ...)}, {"a": (str, ...)}),
    ("wider type", {"a": (int, ...)}, {"a": (float, ...)}),
    ("more types", {"a": (int, ...)}, {"a": (int | Text, ...)}),
    ("no pattern", {"a": (Coded, ...)}, {"a": (str, ...)}),
    ("more digits", {"a": (Exact, ...)}, {"a": (Larger, ...)}),
    ("no longer required", {"a": (Text, ...)}, {"a": (Text | None, None)}),
    ("richer part", {"a": (Part, ...)}, {"a": (RicherPart, ...)}),
    (
        "longer inside the seal",
        {"a": (Annotated[Short | None, Personal()], None)},
        {"a": (Annotated[Text | None, Personal()], None)},
    ),
]


def schema(fields: dict[str, Any]) -> Schema:
    """The event with these fields and no others."""
    return schema_of(create_model("Happened", __base__=Happened, **fields))


@pytest.mark.parametrize(
    ("before", "after", "told"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_change_that_stored_events_do_not_survive(
    before: dict[str, Any], after: dict[str, Any], told: str
) -> None:
    assert breaks(schema(before), schema(before)) == []
    assert [reason for reason in breaks(schema(before), schema(after)) if told in reason]


@pytest.mark.parametrize(
    ("before", "after"), [case[1:] for case in ALLOWED], ids=[case[0] for case in ALLOWED]
)
def test_change_that_stored_events_survive(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert breaks(schema(before), schema(after)) == []


def test_other_words_change_nothing() -> None:
    before = schema({"a": (Text, ...)})
    assert breaks(before, before | {"description": "Told better.", "title": "Other"}) == []


def test_unknown_keyword_is_refused() -> None:
    before = schema({"a": (Text, ...)})
    told = breaks(before, before | {"patternProperties": {"^x": False}})
    assert told == ["the event changed patternProperties, which this check cannot judge"]
