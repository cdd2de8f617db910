"""A unit as a row of a list: what the list says of it, made here or by the database itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Text, cast

from crm_projections.engine.instants import instant
from crm_projections.engine.listing import Named, Told
from crm_projections.engine.sql_json import (
    Json,
    id_hex,
    id_json,
    instant_json,
    joined,
    object_json,
    text_json,
    word,
)
from crm_projections.facts.amounts import money
from crm_projections.facts.money_json import money_json

NAMED: Final = {"owner": "staff", "manager": "staff", "product": "product", "campaign": "campaign"}
"""Columns with ids of things that have a name, and what each is."""
_PLAIN: Final = ("team", "region", "source", "sector")
_STATES: Final = ("state", "stage", "stage_name")
_STANDING: Final = ("unit", *_STATES, "valid_from", "entered_at", "amount", "currency")
_ENDING: Final = (*NAMED, *_PLAIN, "event_id")
COLUMNS: Final = (*_STANDING, *_ENDING)
"""What a row is made of."""
_OWN: Final = len(_STANDING)
_ENTERED: Final = _STANDING.index("entered_at")


def row(unit: Sequence[Any]) -> dict[str, Any]:
    """Of values of COLUMNS. Absent ones are left out of no row: a table has the same columns for
    all."""
    id, state, stage, stage_name, since, entered, amount, currency = unit[:_OWN]
    return {
        "id": id,
        "state": state,
        "stage": stage,
        "stage_name": stage_name,
        "since": instant(since),
        "entered_at": instant(entered),
        "amount": money(amount, currency or ""),
        **dict(zip(_ENDING, unit[_OWN:], strict=True)),
    }


def place(unit: Sequence[Any]) -> str:
    """The cursor of what comes after a unit."""
    return f"{unit[_ENTERED]}.{unit[0].hex}"


def _row_json(c: Any, named: Named) -> Json:
    """What `row` says, with names."""
    return object_json(
        {
            "id": id_json(c.unit),
            **{name: text_json(c[name]) for name in _STATES},
            "since": instant_json(c.valid_from),
            "entered_at": instant_json(c.entered_at),
            "amount": money_json(c.amount, c.currency),
            **{name: id_json(c[name]) for name in NAMED},
            **{name: text_json(c[name]) for name in _PLAIN},
            "event_id": id_json(c.event_id),
            **{f"{name}_name": named(kind, c[name]) for name, kind in NAMED.items()},
        }
    )


def _place_text(c: Any) -> ColumnElement[str]:
    return joined(cast(c.entered_at, Text), word("."), id_hex(c.unit))


TOLD: Final = Told(_row_json, _place_text)
"""`row` and `place` as the database says them."""
