"""A row that the database puts into JSON is, byte for byte, the one that is made of objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final
from uuid import UUID

import orjson
from crm_projections.engine.database import Database
from crm_projections.views.funnel.facts import FunnelTables
from crm_projections.views.funnel.listing import UnitsView
from crm_projections.views.funnel.unit_rows import COLUMNS, NAMED, TOLD, place, row
from crm_projections.views.names.facts import names_table
from crm_projections.views.names.queries import name_json
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Select, Table, delete, insert, select

from tests.support.viewing import UTC_EURO

_TABLES: Final[FunnelTables] = UnitsView(UTC_EURO).tables(MetaData(), "")
_KINDS: Final = _TABLES.standings.c
_MADE: Final = MetaData()
UNITS: Final = Table(
    "unit",
    _MADE,
    Column("nth", Integer, primary_key=True),
    *(Column(name, _KINDS[name].type) for name in COLUMNS),
)
NAMES: Final = names_table(_MADE, "")
_SAID: Final[tuple[Any, ...]] = (TOLD.row(UNITS.c, partial(name_json, NAMES)), TOLD.place(UNITS.c))
STATEMENT: Final[Select[Any]] = select(*_SAID).order_by(UNITS.c.nth)

_BEGIN, _END = -62_135_596_800_000_000, 253_402_300_799_999_999
_MOST: Final = 2**63 - 1
TEXTS: Final = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
IDS: Final = st.uuids()
INSTANTS: Final = st.integers(_BEGIN, _END)
AMOUNTS: Final = st.integers(-_MOST - 1, _MOST) | st.integers(-100_000, 100_000)
_OF_UNIT: Final[Mapping[str, st.SearchStrategy[Any]]] = {
    "unit": IDS,
    "event_id": IDS,
    "valid_from": INSTANTS,
    "entered_at": INSTANTS,
    "amount": st.none() | AMOUNTS,
    **dict.fromkeys(("state", "stage", "stage_name"), TEXTS),
    **dict.fromkeys(("currency", "team", "region", "source", "sector"), st.none() | TEXTS),
    **dict.fromkeys(NAMED, st.none() | IDS),
}
ROWS: Final = st.lists(
    st.tuples(*(_OF_UNIT[name] for name in COLUMNS), st.none() | TEXTS), min_size=1, max_size=8
)
"""Values of COLUMNS, and the name of the owner."""
_ID: Final = UUID(int=7)
_ODD: Final = "\"\\/\b\f\n\r\t\x01\x1f\x7f\x85\u2028'%:$1 李娜 🙂 <&>"
_EMPTY: Final = dict.fromkeys(COLUMNS)


def _unit(name: str | None, **values: Any) -> tuple[Any, ...]:
    told = {**_EMPTY, "unit": _ID, "event_id": _ID, **dict.fromkeys(("state", "stage"), "")}
    told |= {"stage_name": _ODD, "valid_from": _BEGIN, "entered_at": _END, **values}
    return *(told[each] for each in COLUMNS), name


_EXTREME: Final = [
    _unit(None),
    _unit(_ODD, owner=_ID, amount=-_MOST - 1, currency="EUR", valid_from=-1, entered_at=0),
    _unit(None, owner=UUID(int=8), manager=_ID, amount=_MOST, valid_from=1, entered_at=-1_000_000),
    _unit("", owner=UUID(int=9), amount=-1, currency=None, region=_ODD, entered_at=1_000_000),
    _unit(None, product=UUID(int=9), campaign=_ID, amount=10, currency=_ODD, entered_at=10),
    _unit(None, amount=0, currency="JPY"),
]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ROWS)
@example(_EXTREME)
def test_both_make_the_same_bytes(database: Database, units: Sequence[tuple[Any, ...]]) -> None:
    names = _stored(database, [unit[:-1] for unit in units], _names(units))
    found = database.ask(STATEMENT, {})
    for (told, where), (*values, _) in zip(found, units, strict=True):
        assert told.encode() == orjson.dumps({**row(values), **_named(values, names)})
        assert where == place(values)


def _names(units: Sequence[tuple[Any, ...]]) -> dict[UUID, str | None]:
    owner = COLUMNS.index("owner")
    return {unit[owner]: unit[-1] for unit in units if unit[owner] is not None}


def _stored(
    database: Database, units: Sequence[Sequence[Any]], names: Mapping[UUID, str | None]
) -> Mapping[UUID, str | None]:
    """Only staff has names, and only people who are owners."""
    rows = [dict(zip(COLUMNS, unit, strict=True), nth=nth) for nth, unit in enumerate(units)]
    known = [{"kind": "staff", "id": str(id), "name": name} for id, name in names.items()]
    with database.defining() as connection:
        _MADE.create_all(connection)
        for table, given in ((UNITS, rows), (NAMES, known)):
            connection.execute(delete(table))
            if given:
                connection.execute(insert(table), given)
    return names


def _named(values: Sequence[Any], names: Mapping[UUID, str | None]) -> dict[str, str | None]:
    ids = dict(zip(COLUMNS, values, strict=True))
    return {
        f"{name}_name": names.get(ids[name]) if kind == "staff" else None
        for name, kind in NAMED.items()
    }
