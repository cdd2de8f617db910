"""Every week and month of satisfaction is made of the events it names."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from crm_projections.engine.evidence import Evidence, Figure, UnknownFigure
from crm_projections.engine.view import Cut
from crm_projections.facts.instants import Reporting, micros
from crm_projections.views.satisfaction.evidence import FIGURES
from crm_projections.views.satisfaction.projector import SatisfactionView

from tests.support.opening import behind, sums_of
from tests.support.viewing import Viewing, at
from tests.views.satisfaction.test_satisfaction import BECKY, opened, resolved, scored, sent

SHANGHAI = Reporting(ZoneInfo("Asia/Shanghai"), "CNY")
LATER = Cut(micros(at("2021-06-30")))


@pytest.fixture
def viewing() -> Viewing:
    """Around the turn of a year, when it is another day already where reports are made."""
    viewing = Viewing(SatisfactionView(SHANGHAI))
    for number, hours in enumerate((0, 5, 30, 200, 800)):
        name, when = f"t{number}", at("2020-12-31T14:00") + timedelta(hours=hours)
        viewing.tell(opened(name, when), resolved(name, BECKY, when + timedelta(hours=1)))
        viewing.tell(sent(name, when + timedelta(hours=2)))
        if number != 2:
            viewing.tell(scored(name, number % 5 + 1, when + timedelta(days=9)))
    return viewing


def _behind(viewing: Viewing, figure: Figure, cut: Cut = LATER, **asked: Any) -> Evidence:
    return behind(viewing, figure, cut, **asked)


@pytest.mark.parametrize("by", ["week", "month"])
def test_a_period_is_made_of_the_events_it_names(viewing: Viewing, by: str) -> None:
    with viewing.engine.connect() as connection:
        parameters = viewing.view.parameters.model_validate({"by": by})
        answer = viewing.view.answer(connection, viewing.tables, LATER, parameters)
    assert len(answer.groups or ()) > 1
    for group in answer.groups or ():
        told = {**group["totals"], **group["distribution"]}
        for figure in FIGURES:
            found = _behind(viewing, figure, by=by, key=group["key"])
            assert found.after == told[figure.row or figure.name], (group["key"], figure)
            assert sum(cause.added for cause in found.causes) == found.after


def test_what_a_period_gained_between_two_days_adds_up(viewing: Viewing) -> None:
    before, asked = Cut(micros(at("2021-01-05"))), {"by": "month", "key": "2021-01"}
    with viewing.engine.connect() as connection:
        sums = sums_of(viewing, connection, LATER, **asked)
        found = sums.summed(Figure("responses")).between(connection, before, LATER)
    assert found.after - found.before == sum(cause.added for cause in found.causes) == 3


def test_a_period_with_nothing_is_0_and_one_to_come_is_said(viewing: Viewing) -> None:
    tickets = Figure("tickets")
    assert _behind(viewing, tickets, by="month", key="2021-06").after == 0
    assert _behind(viewing, tickets, by="week", key="2021-W26").after == 0
    for by, key in (("month", "2021-07"), ("week", "2021-W27")):
        with pytest.raises(UnknownFigure, match=f"There is no {by} {key} yet"):
            _behind(viewing, tickets, by=by, key=key)
    new_year = Cut(micros(at("2021-01-31T16:00")))
    assert _behind(viewing, tickets, new_year, by="month", key="2021-02").after == 0


@pytest.mark.parametrize("key", [None, "May", "2021-13", "2021-W01", "2021-5"])
def test_what_is_no_month_is_refused_with_its_form(viewing: Viewing, key: str | None) -> None:
    with pytest.raises(UnknownFigure, match="is no month; name one as 2026-05"):
        _behind(viewing, Figure("tickets"), by="month", key=key)


@pytest.mark.parametrize("key", ["2021-W54", "2021-01", "2021-W1", "0000-W01"])
def test_what_is_no_week_is_refused_with_its_form(viewing: Viewing, key: str) -> None:
    with pytest.raises(UnknownFigure, match="is no week; name one as 2026-W19"):
        _behind(viewing, Figure("tickets"), by="week", key=key)
