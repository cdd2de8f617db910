"""The units behind every number of the funnel: as many as it says, at any cut, page by page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from crm_events.contracts.contacts import LeadCaptured
from crm_events.event import Staff
from crm_projections.engine.view import Answer
from crm_projections.views.funnel.listing import UnitsView
from crm_projections.views.funnel.projector import FunnelView
from crm_projections.views.funnel.stages import UnknownStage
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.support.viewing import UTC_EURO, Told, Viewing, at, column, identity
from tests.views.funnel import deals

BEGIN = at("2026-03-01")
MEI = Staff(id=identity("mei"), region="Asia")
KINDS = ("advance", "offer", "back", "win", "lose", "reopen")


def listing_of(tables: Viewing, **asked: Any) -> list[dict[str, Any]]:
    """All pages, one after the other."""
    units: list[dict[str, Any]] = []
    page = tables.ask(**asked)
    while page.next is not None:
        units += [dict(row) for row in page.rows]
        page = tables.ask(**asked, cursor=page.next)
    return units + [dict(row) for row in page.rows]


def funnel_of(tables: Viewing, **asked: Any) -> Answer:
    """The funnel over the same tables."""
    tables.view, listed = FunnelView(UTC_EURO), tables.view
    try:
        return tables.ask(**asked)
    finally:
        tables.view = listed


@pytest.fixture
def units() -> Viewing:
    viewing = Viewing(UnitsView(UTC_EURO))
    viewing.tell(deals.defined(at("2020-01-01")))
    return viewing


def tell(viewing: Viewing, unit: str, kind: str, day: int) -> None:
    when = BEGIN + timedelta(days=day)
    told = {
        "advance": lambda: deals.advanced(unit, when, deals.TRIAL),
        "offer": lambda: deals.advanced(unit, when, deals.OFFER),
        "back": lambda: deals.moved_back(unit, when, deals.AWARE, deals.TRIAL),
        "win": lambda: deals.won(unit, when),
        "lose": lambda: deals.lost(unit, when),
        "reopen": lambda: deals.reopened(unit, when, deals.OFFER),
    }[kind]()
    viewing.tell(told)


Moves = list[tuple[int, str, int]]
MOVES = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from(KINDS), st.integers(0, 6)), min_size=1, max_size=16
)


@settings(max_examples=25, deadline=None)
@given(MOVES, st.integers(0, 6), st.integers(1, 20))
def test_there_are_as_many_units_as_the_funnel_says(moves: Moves, day: int, known: int) -> None:
    viewing = Viewing(UnitsView(UTC_EURO))
    viewing.tell(deals.defined(at("2020-01-01")))
    for unit in range(5):
        owner = MEI if unit % 2 else None
        viewing.tell(deals.opened(f"d{unit}", BEGIN + timedelta(days=unit), owner=owner))
    for number, kind, when in moves:
        tell(viewing, f"d{number}", kind, when)
    cut: dict[str, Any] = {
        "as_of": (BEGIN + timedelta(days=day)).strftime("%Y-%m-%d"),
        "known": {"pipeline": known},
    }
    cohort = funnel_of(viewing, **cut, by="region")
    keys = {"aware": {"reached": "aware"}, "trial": {"reached": "trial"}}
    keys |= {"offer": {"reached": "offer"}, "Won": {"state": "won"}}
    for row in cohort.rows:
        found = listing_of(viewing, **cut, limit=2, **keys[row["stage"]])
        assert len({unit["id"] for unit in found}) == len(found) == row["reached"]
    for group in cohort.groups or ():
        key = {} if group["key"] is None else {"key": group["key"]}
        found = listing_of(viewing, **cut, by="region", limit=3, **key)
        assert len(found) == group["totals"]["units"]
    stages = {stage.name: {"stage": stage.key} for stage in deals.STAGES}
    stages |= {"Won": {"state": "won"}, "Lost": {"state": "lost"}}
    for row in funnel_of(viewing, **cut, mode="snapshot").rows:
        assert len(listing_of(viewing, **cut, **stages[row["stage"]])) == row["standing"]


def test_latest_comes_first_and_says_where_it_stands(units: Viewing) -> None:
    units.tell(deals.opened("old", at("2026-01-01"), amount=deals.euros(5)))
    units.tell(deals.opened("new", at("2026-02-01"), owner=MEI))
    units.tell(deals.lost("old", at("2026-02-02")))
    answer = units.ask()
    assert column(answer, "id") == [identity("new"), identity("old")]
    assert column(answer, "state") == ["open", "lost"]
    assert column(answer, "amount") == [None, {"amount": "5", "currency": "EUR"}]
    assert column(answer, "owner") == [MEI.id, None]
    assert column(answer, "entered_at") == [at("2026-02-01"), at("2026-01-01")]


def test_furthest_finds_those_that_were_lost_there(units: Viewing) -> None:
    for unit in ("a", "b"):
        units.tell(deals.opened(unit, at("2026-01-01")))
    units.tell(deals.advanced("a", at("2026-01-02"), deals.TRIAL))
    units.tell(deals.lost("a", at("2026-01-03"), deals.TRIAL), deals.lost("b", at("2026-01-03")))
    assert column(units.ask(furthest="trial", state="lost"), "id") == [identity("a")]


def test_what_cannot_be_meant_is_refused(units: Viewing) -> None:
    with pytest.raises(ValidationError, match="by=region"):
        units.ask(key="Asia")
    with pytest.raises(ValidationError, match="no id"):
        units.ask(by="owner", key="Mei")
    with pytest.raises(ValidationError, match="cursor"):
        units.ask(cursor="page 2")
    with pytest.raises(UnknownStage, match="no stage 'x'"):
        units.ask(stage="x")


def test_where_no_pipeline_is_there_leads_are_not_taken_for_deals() -> None:
    viewing = Viewing(UnitsView(UTC_EURO))
    captured = LeadCaptured(person_id=identity("li"), name="Li Na", source="fair")
    viewing.tell(Told("lead", captured, at("2026-01-01")))
    assert column(viewing.ask(pipeline="leads"), "id") == [identity("lead")]
    assert viewing.ask(stage="offer").rows == []


def test_page_follows_page_among_equals(units: Viewing) -> None:
    units.tell(*(deals.opened(f"d{n}", at("2026-01-01")) for n in range(7)))
    found = listing_of(units, limit=3)
    assert {row["id"] for row in found} == {identity(f"d{n}") for n in range(7)}
    assert len(found) == 7
