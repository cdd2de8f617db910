"""The first and the last days of the calendar are answered, or refused in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from crm_projections.engine.view import Answer, Cut
from crm_projections.facts.instants import Reporting, last_day_before, micros, month_start
from crm_projections.views.retention.projector import RetentionView
from pydantic import ValidationError

from tests.support.viewing import UTC_EURO, Viewing, at
from tests.views.retention.test_retention import order
from tests.views.telling import History
from tests.views.test_instants import CASES

FIRST, LAST = "0001-01-01", "9999-12-31"
FAR: Final = (FIRST, "0001-01-02", "9999-12-30", LAST)
INSTANTS: Final = ("9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+00:00")
YEARS: Final = "name a time whose year is 1 to 9999 in UTC and in "
ZONES: Final = ("UTC", "Asia/Shanghai", "America/Los_Angeles")
QUESTIONS: Final[Mapping[str, tuple[dict[str, str], ...]]] = {
    "funnel": tuple({"mode": mode} for mode in ("cohort", "snapshot", "flow", "trend")),
    "satisfaction": ({}, {"by": "week"}),
    "retention": ({}, {"mode": "unbounded"}, {"every": "9999d"}),
}


def ask(viewing: Viewing, zone: ZoneInfo, **given: Any) -> Answer:
    model = viewing.view.parameters
    asked = model.model_validate(given, context={"zone": zone})
    with viewing.engine.connect() as connection:
        return viewing.view.answer(connection, viewing.tables, Cut(asked.as_of or 0), asked)


def refusal(viewing: Viewing, zone: ZoneInfo, said: Mapping[str, str]) -> str | None:
    try:
        ask(viewing, zone, **said)
    except ValidationError as refused:
        return str(refused)
    return None


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("view", CASES)
def test_far_days_are_answered_or_refused(view: str, name: str) -> None:
    zone, case = ZoneInfo(name), CASES[view]
    viewing = Viewing(type(case.view)(Reporting(zone, "EUR")))  # type: ignore[call-arg]
    rng = Random(view)  # noqa: S311 - the same history in every run
    viewing.tell(*case.first, *History(rng, case.kinds).tell(40))
    answered = 0
    for start, end, as_of in product((None, FIRST, LAST), (None, FIRST, LAST), (*FAR, *INSTANTS)):
        given = {"from": start, "to": end, "as_of": as_of}
        for asked in QUESTIONS[view]:
            said = {**asked, **{k: v for k, v in given.items() if v is not None}}
            refused = refusal(viewing, zone, said)
            answered += refused is None
            wanted = None if name == "UTC" or refused is None else YEARS + name
            assert (refused is None) == (wanted is None), said
            assert (wanted or "") in (refused or "")
    assert answered


def test_the_last_day_sees_everything_and_the_first_nothing() -> None:
    retention = Viewing(RetentionView(UTC_EURO))
    retention.tell(order("o", "c", at("2026-01-31")), order("late", "c", at("9999-12-31")))
    zone = ZoneInfo("UTC")
    last = ask(retention, zone, as_of=LAST)
    assert last.totals["orders"] == 2
    cells = last.rows[0]["cells"]
    assert (len(cells), cells[-1]["active"]) == ((9999 - 2026) * 12 + 12, 1)
    assert all(cell["complete"] for cell in cells)
    assert ask(retention, zone, as_of=FIRST).rows == []


def test_columns_without_data_end_a_century_after_it() -> None:
    retention = Viewing(RetentionView(UTC_EURO))
    retention.tell(order("o", "c", at("2026-01-31")), order("next", "c", at("2026-02-01")))
    cells = ask(retention, ZoneInfo("UTC"), as_of=LAST).rows[0]["cells"]
    assert len(cells) == 2 + 1_200
    assert len(ask(retention, ZoneInfo("UTC"), as_of="2026-12-31").rows[0]["cells"]) == 12


@pytest.mark.parametrize("name", ZONES)
def test_the_calendar_ends_and_begins_where_it_does(name: str) -> None:
    zone = ZoneInfo(name)
    december = month_start(9999 * 12 + 11, zone)
    assert month_start(10_000 * 12, zone) - december == 31 * 86_400_000_000
    assert last_day_before(micros(at(FIRST)), zone) <= last_day_before(
        micros(at("0001-01-02")), zone
    )
