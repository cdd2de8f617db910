"""The events behind a number add up to it, and those between two cuts to the difference."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from crm_projections.api.opening import why_parameters
from crm_projections.engine.evidence import Evidence, Evident, Figure, UnknownFigure
from crm_projections.engine.view import Answer, Cut
from crm_projections.facts.amounts import amount_text
from crm_projections.facts.instants import micros
from crm_projections.views.funnel.projector import FunnelView
from crm_projections.views.retention.projector import RetentionView
from crm_projections.views.satisfaction.projector import SatisfactionView
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.viewing import UTC_EURO, Viewing, at, identity
from tests.views.funnel import deals
from tests.views.retention.test_retention import amended, order
from tests.views.satisfaction import test_satisfaction as tickets
from tests.views.test_two_times import BEGIN, DAYS, Log, Step, deals_told, steps, ticket_step

CUTS = st.tuples(st.integers(-1, DAYS), st.integers(0, 25))


@dataclass(frozen=True, slots=True)
class Opened:
    """A view with what it was told, of which any number may be opened."""

    viewing: Viewing
    context: str

    @property
    def view(self) -> Evident[Any]:
        return self.viewing.view  # type: ignore[return-value]

    def cut(self, day: int, known: int) -> Cut:
        as_of = micros(BEGIN + timedelta(days=day, hours=12))
        return Cut(as_of, {self.context: known} if known < 25 else {})

    def check(self, before: Cut, after: Cut, **asked: Any) -> None:
        """Of every figure: from cut to cut, and from its beginning; and it is the answer's."""
        model = why_parameters(self.view.parameters)
        parameters = model.model_validate(
            {**asked, "figure": "-"}, context={"zone": ZoneInfo("UTC")}
        )
        plain = self.view.parameters.model_validate(asked, context={"zone": ZoneInfo("UTC")})
        tables = self.viewing.tables
        with self.viewing.engine.connect() as connection:
            sums = self.view.sums(connection, tables, after, parameters)
            earlier = self.view.sums(connection, tables, before, parameters)
            answer = self.view.answer(connection, tables, after, plain)
            for figure in sums.all():
                found = sums.summed(figure).between(connection, before, after)
                self._adds_up(found)
                whole = sums.summed(figure).behind(connection, after)
                self._adds_up(whole)
                assert whole.after == found.after
                assert _shown(found) == _answered(answer, figure), figure
                assert earlier.all() == sums.all()

    def _adds_up(self, found: Evidence) -> None:
        assert sum(cause.added for cause in found.causes) == found.after - found.before, found
        ids = [cause.event_id for cause in found.causes]
        assert len(set(ids)) == len(ids)


def _shown(found: Evidence) -> Any:
    return found.after if found.unit == "count" else amount_text(found.after)


def _answered(answer: Answer, figure: Figure) -> Any:
    if figure.name == "distribution":
        return (answer.distribution or {})[figure.row or ""]
    if figure.row is None:
        value = answer.totals[figure.name]
        return value["amount"] if isinstance(value, dict) else value
    return next(row[figure.name] for row in answer.rows if row["stage"] == figure.row)


@settings(max_examples=20, deadline=None)
@given(
    steps(["advance", "back", "win", "lose", "reopen"]),
    st.sampled_from(["cohort", "snapshot", "flow"]),
    CUTS,
    CUTS,
)
def test_the_funnels_numbers_are_made_of_events(
    history: list[Step], mode: str, one: tuple[int, int], other: tuple[int, int]
) -> None:
    log = deals_told(history, 5)
    opened = Opened(log.viewing, "pipeline")
    before, after = opened.cut(one[0], one[1] + 1), opened.cut(other[0], other[1] + 1)
    opened.check(before, after, mode=mode)
    opened.check(before, after, mode=mode, start="2026-03-02", end="2026-03-05")


@settings(max_examples=20, deadline=None)
@given(steps(["resolve", "send", "score"]), CUTS, CUTS)
def test_satisfactions_numbers_are_made_of_events(
    history: list[Step], one: tuple[int, int], other: tuple[int, int]
) -> None:
    log = Log(Viewing(SatisfactionView(UTC_EURO)))
    told: set[int] = set()
    for number, step in enumerate(history):
        if step.unit not in told:
            told.add(step.unit)
            log.tell(step, tickets.opened(f"ticket{step.unit}", BEGIN + timedelta(days=step.day)))
        log.tell(step, ticket_step(step, number))
    log.flush(5)
    opened = Opened(log.viewing, "ticketing")
    opened.check(opened.cut(*one), opened.cut(*other))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, DAYS)), max_size=14), CUTS, CUTS)
def test_retentions_numbers_are_made_of_events(
    told: list[tuple[int, int]], one: tuple[int, int], other: tuple[int, int]
) -> None:
    viewing = Viewing(RetentionView(UTC_EURO))
    seen: set[int] = set()
    for number, (name, day) in enumerate(told):
        place = amended if name in seen else order
        seen.add(name)
        when = BEGIN + timedelta(days=day)
        viewing.tell(place(f"o{name}", f"c{number % 3}", when, str(number)))
    opened = Opened(viewing, "pipeline")
    opened.check(opened.cut(*one), opened.cut(*other))


def test_a_won_deal_is_owed_to_its_winning() -> None:
    viewing = Viewing(FunnelView(UTC_EURO))
    viewing.tell(deals.defined(at("2020-01-01")), deals.opened("d", BEGIN, source="web"))
    viewing.tell(deals.won("d", BEGIN + timedelta(days=1), amount=deals.euros(100)))
    viewing.tell(deals.opened("other", BEGIN))
    evidence = behind(viewing, Figure("won_amount"))
    assert [(each.event_id, each.added) for each in evidence.causes] == [
        (identity("d/2"), 1_000_000)
    ]
    assert behind(viewing, Figure("units"), by="source", key="web").after == 1
    assert behind(viewing, Figure("units"), by="source").after == 1


def test_what_is_no_sum_is_refused_with_those_that_are() -> None:
    viewing = Viewing(FunnelView(UTC_EURO))
    viewing.tell(deals.defined(at("2020-01-01")))
    with pytest.raises(UnknownFigure, match="these are: units, open, won"):
        behind(viewing, Figure("win_rate_closed"))
    with pytest.raises(UnknownFigure, match="it has: aware; trial; offer; Won"):
        behind(viewing, Figure("reached", "signed"))
    with pytest.raises(UnknownFigure, match="no id"):
        behind(viewing, Figure("won"), by="owner", key="Mei")


def behind(viewing: Viewing, figure: Figure, **asked: Any) -> Evidence:
    opened = Opened(viewing, "pipeline")
    cut = opened.cut(DAYS, 25)
    parameters = why_parameters(opened.view.parameters).model_validate({**asked, "figure": "-"})
    with viewing.engine.connect() as connection:
        sums = opened.view.sums(connection, viewing.tables, cut, parameters)
        return sums.summed(figure).behind(connection, cut)
