"""Every cell of a triangle, of the whole and of each group, is made of the orders it names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from crm_projections.engine.evidence import Evidence, Figure, UnknownFigure
from crm_projections.engine.view import Answer, Cut
from crm_projections.facts.amounts import amount_text
from crm_projections.facts.instants import Reporting, micros
from crm_projections.views.retention.projector import RetentionView
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.opening import behind, sums_of
from tests.support.viewing import UTC_EURO, Viewing, at
from tests.views.retention.test_retention import order

BEGIN = at("2026-01-10")
CUT = Cut(micros(at("2027-12-31")))
REGIONS = (None, "West", "East")
Told = list[tuple[int, int, int]]


def _told(told: Told) -> Viewing:
    """Orders of (customer, day, region); a customer's first order says their region."""
    viewing = Viewing(RetentionView(UTC_EURO))
    for number, (customer, day, region) in enumerate(told):
        when = BEGIN + timedelta(days=day)
        placed = order(f"o{number}", f"c{customer}", when, str(number + 1), region=REGIONS[region])
        viewing.tell(placed)
    return viewing


def _behind(viewing: Viewing, figure: Figure, cut: Cut = CUT, **asked: Any) -> Evidence:
    return behind(viewing, figure, cut, **asked)


def _answer(viewing: Viewing, cut: Cut, **asked: Any) -> Answer:
    with viewing.engine.connect() as connection:
        parameters = viewing.view.parameters.model_validate(asked)
        return viewing.view.answer(connection, viewing.tables, cut, parameters)


def _cells(rows: Any) -> Iterator[tuple[Figure, str]]:
    for row in rows:
        for cell in row["cells"]:
            place = (row["cohort"], cell["offset"])
            yield Figure("active", *place), str(cell["active"])
            yield Figure("revenue", *place), cell["revenue"]["amount"]


def _shown(evidence: Evidence) -> str:
    return str(evidence.after) if evidence.unit == "count" else str(amount_text(evidence.after))


def _check(viewing: Viewing, rows: Any, asked: Mapping[str, Any]) -> None:
    for figure, value in _cells(rows):
        found = _behind(viewing, figure, **asked)
        assert _shown(found) == value, figure
        assert sum(cause.added for cause in found.causes) == found.after
        assert len({cause.event_id for cause in found.causes}) == len(found.causes)


@settings(max_examples=12, deadline=None)
@given(
    told=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 200), st.integers(0, 2)), min_size=1, max_size=9
    ),
    mode=st.sampled_from(["classic", "unbounded"]),
    every=st.sampled_from(["month", "30d"]),
)
def test_a_cell_is_made_of_the_orders_it_names(told: Told, mode: str, every: str) -> None:
    viewing = _told(told)
    asked = {"mode": mode, "every": every}
    _check(viewing, _answer(viewing, CUT, **asked).rows, asked)
    for group in _answer(viewing, CUT, **asked, by="region").groups or ():
        of_group = {**asked, "by": "region", "key": group["key"]}
        _check(viewing, group["rows"], of_group)
        for name in ("orders", "revenue"):
            value = group["totals"][name]
            told_of = value["amount"] if isinstance(value, dict) else str(value)
            assert _shown(_behind(viewing, Figure(name), **of_group)) == told_of


@settings(max_examples=12, deadline=None)
@given(
    told=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 200), st.integers(0, 2)), min_size=1, max_size=9
    ),
    days=st.tuples(st.integers(0, 260), st.integers(0, 260)),
    mode=st.sampled_from(["classic", "unbounded"]),
    every=st.sampled_from(["month", "30d"]),
)
def test_events_between_two_days_add_up_to_a_cells_difference(
    told: Told, days: tuple[int, int], mode: str, every: str
) -> None:
    viewing, asked = _told(told), {"mode": mode, "every": every}
    before, after = (Cut(micros(BEGIN + timedelta(days=day))) for day in days)
    later = max(before, after, key=lambda cut: cut.as_of)
    groups: list[tuple[dict[str, Any], Any]] = [({}, _answer(viewing, later, **asked).rows)]
    by_region = _answer(viewing, later, **asked, by="region").groups or ()
    groups += [({"by": "region", "key": each["key"]}, each["rows"]) for each in by_region]
    for of_group, rows in groups:
        for figure, value in _cells(rows):
            _check_between(viewing, figure, (before, after), {**asked, **of_group}, value)


def _check_between(
    viewing: Viewing, figure: Figure, cuts: tuple[Cut, Cut], asked: Mapping[str, Any], value: str
) -> None:
    """`value` is what the answer to the later of the two says."""
    with viewing.engine.connect() as connection:
        summed = sums_of(viewing, connection, cuts[1], **asked).summed(figure)
        try:
            found = summed.between(connection, *cuts)
        except UnknownFigure as refused:
            assert "has not begun" in str(refused)  # noqa: PT017 (a rolling interval to come)
            return
    ids = [cause.event_id for cause in found.causes]
    assert sum(cause.added for cause in found.causes) == found.after - found.before
    assert len(set(ids)) == len(ids)
    later = found.after if cuts[1].as_of >= cuts[0].as_of else found.before
    assert value == (str(later) if found.unit == "count" else str(amount_text(later)))


def test_a_group_that_nobody_is_of_has_no_orders() -> None:
    found = _behind(_told([(0, 0, 1)]), Figure("orders"), by="region", key="South")
    assert (found.after, found.causes) == (0, [])


def test_a_cell_without_an_order_is_0_and_one_that_is_not_there_is_said() -> None:
    viewing = _told([(0, 0, 1), (1, 40, 2)])
    march = Cut(micros(at("2026-03-15")))
    for offset in (1, 2):
        found = _behind(viewing, Figure("active", "2026-01", offset), march)
        assert (found.after, found.causes) == (0, [])
    for place, why in (
        (("2026-01", 3), "no cell 2026-01/3: on 2026-03-15 it has not begun"),
        (("2026-03", 0), "no cell 2026-03/0: no customer's first order lies in 2026-03"),
        (("2026-01", 10**20), "it has not begun"),
    ):
        for name in ("active", "revenue"):
            with pytest.raises(UnknownFigure, match=why):
                _behind(viewing, Figure(name, *place), march)
    with pytest.raises(UnknownFigure, match="no customer's first order lies in 2026-01"):
        _behind(viewing, Figure("active", "2026-01", 0), march, by="region", key="East")


def test_a_rolling_cell_begins_with_the_oldest_customer_of_its_cohort() -> None:
    viewing = _told([(0, 0, 1), (1, 10, 1)])  # on 10 and on 20 January
    asked, cell = {"every": "30d"}, Figure("active", "2026-01", 1)
    with pytest.raises(UnknownFigure, match="on 2026-02-08 it has not begun"):
        _behind(viewing, cell, Cut(micros(at("2026-02-08"))), **asked)
    assert _behind(viewing, cell, Cut(micros(at("2026-02-09"))), **asked).after == 0


def test_months_begin_where_reports_are_made() -> None:
    shanghai = Reporting(ZoneInfo("Asia/Shanghai"), "EUR")
    viewing = Viewing(RetentionView(shanghai))
    viewing.tell(order("o", "c", at("2026-01-10"), "1"))
    cell = Figure("active", "2026-01", 1)
    with pytest.raises(UnknownFigure, match="on 2026-01-31 it has not begun"):
        _behind(viewing, cell, Cut(micros(at("2026-01-31T15:59"))))
    assert _behind(viewing, cell, Cut(micros(at("2026-01-31T16:00")))).after == 0


def test_what_cannot_be_explained_says_so() -> None:
    viewing = _told([(0, 0, 1)])
    with pytest.raises(UnknownFigure, match="no sum of a cell; these are: active and revenue"):
        _behind(viewing, Figure("retention", "2026-01", 1))
    for place in ((None, None), ("2026-01", None), ("spring", 2)):
        with pytest.raises(UnknownFigure, match="A cell is named by its cohort"):
            _behind(viewing, Figure("active", *place))
    with viewing.engine.connect() as connection:
        sums = sums_of(viewing, connection, CUT, by="region")
        with pytest.raises(UnknownFigure, match="compare two days of effect"):
            sums.summed(Figure("orders")).between(connection, Cut(CUT.as_of, {"pipeline": 0}), CUT)
