"""A funnel under other stages is the funnel of a history whose events named those stages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from crm_events.contracts.contacts import LeadCaptured, LeadDisqualified, LeadQualified
from crm_events.contracts.pipeline import Stage, StageAdvanced, StageMovedBack
from crm_projections.engine.supposing import PolicyRefused
from crm_projections.engine.view import Answer, Cut
from crm_projections.facts.instants import micros
from crm_projections.views.funnel.projector import FunnelView
from crm_projections.views.funnel.stage_map import StageMap
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.support.viewing import UTC_EURO, Told, Viewing, at, column, identity
from tests.views.funnel import deals
from tests.views.test_two_times import BEGIN, DAYS, Step, deals_told, steps

KEYS = tuple(stage.key for stage in deals.STAGES)
KINDS = ("advance", "back", "win", "lose", "reopen")
MODES = ("cohort", "snapshot", "flow", "trend")


def stage_map(*news: tuple[str, Sequence[str]]) -> StageMap:
    """New stages in the order of their ranks."""
    rows = [
        {"key": key, "name": key.upper(), "rank": rank, "from": list(olds)}
        for rank, (key, olds) in enumerate(news, start=1)
    ]
    return StageMap.model_validate({"stages": rows})


def identity_map() -> StageMap:
    rows = [{"key": key, "name": key, "rank": rank} for rank, key in enumerate(KEYS, start=1)]
    return StageMap.model_validate({"stages": rows})


@st.composite
def maps(draw: st.DrawFn, *, merging: bool = True) -> StageMap:
    """Old stages in any order and, when they may merge, in any groups."""
    olds = draw(st.permutations(KEYS))
    count = draw(st.integers(1, 3)) if merging else 3
    places = [*range(count), *(draw(st.integers(0, count - 1)) for _ in range(3 - count))]
    groups = [
        [old for old, place in zip(olds, places, strict=True) if place == n] for n in range(count)
    ]
    return stage_map(*((f"n{rank}", group) for rank, group in enumerate(groups)))


def suppose(viewing: Viewing, to: StageMap, cut: Cut | None = None, **asked: Any) -> Answer:
    parameters = viewing.view.parameters.model_validate(asked)
    with viewing.engine.connect() as connection:
        then = cut or Cut(micros(at("2030-01-01")))
        view: Any = viewing.view
        found: Answer = view.suppose(connection, viewing.tables, then, parameters, to)
        return found


def live(viewing: Viewing, cut: Cut, **asked: Any) -> Answer:
    parameters = viewing.view.parameters.model_validate(asked)
    with viewing.engine.connect() as connection:
        return viewing.view.answer(connection, viewing.tables, cut, parameters)


def renamed(told: Told, to: StageMap) -> Told:
    """The event as it would have been told of the new stages."""
    news = {new.key: new for new in to.stages}

    def new(stage: Stage) -> Stage:
        found = news[to.new_keys[stage.key]]
        return Stage(key=found.key, name=found.name, rank=found.rank, probability=0)

    fields = {
        name: new(value)
        for name in type(told.event).model_fields
        if isinstance(value := getattr(told.event, name), Stage)
    }
    return replace(told, event=told.event.model_copy(update=fields))


def rewritten(history: Sequence[Told], to: StageMap) -> Viewing:
    viewing = Viewing(FunnelView(UTC_EURO))
    stages = [Stage(key=n.key, name=n.name, rank=n.rank, probability=0) for n in to.stages]
    viewing.tell(deals.defined(at("2020-01-01"), *stages))
    viewing.tell(*(renamed(told, to) for told in history), batch=5)
    return viewing


def same(supposed: Answer, told_so: Answer) -> None:
    assert (supposed.totals, supposed.rows) == (told_so.totals, told_so.rows)
    assert (supposed.groups, supposed.excluded) == (told_so.groups, told_so.excluded)


CUTS = st.builds(
    lambda day, known: Cut(micros(BEGIN + timedelta(days=day)), {"pipeline": known + 1}),
    st.integers(0, DAYS),
    st.integers(1, 20),
)


@settings(max_examples=40, deadline=None)
@given(steps(KINDS), maps(), CUTS, st.sampled_from(("cohort", "snapshot")))
def test_units_stand_as_if_their_events_had_named_the_new_stages(
    history: list[Step], to: StageMap, cut: Cut, mode: str
) -> None:
    log = deals_told(history, 5)
    told = rewritten([told for _, _, told in log.told], to)
    for asked in ({}, {"start": "2026-03-02", "end": "2026-03-05", "by": "owner"}):
        same(suppose(log.viewing, to, cut, mode=mode, **asked), live(told, cut, mode=mode, **asked))


@settings(max_examples=30, deadline=None)
@given(steps(KINDS), maps(merging=False), CUTS, st.sampled_from(("flow", "trend")))
def test_moves_between_stages_that_stay_apart_are_those_of_the_rewritten_history(
    history: list[Step], to: StageMap, cut: Cut, mode: str
) -> None:
    log = deals_told(history, 5)
    told = rewritten([told for _, _, told in log.told], to)
    same(suppose(log.viewing, to, cut, mode=mode), live(told, cut, mode=mode))


@settings(max_examples=30, deadline=None)
@given(steps(KINDS), CUTS, st.sampled_from(MODES))
def test_the_map_that_changes_nothing_changes_nothing(
    history: list[Step], cut: Cut, mode: str
) -> None:
    viewing = deals_told(history, 5).viewing
    for asked in ({}, {"start": "2026-03-02", "end": "2026-03-05", "by": "source"}):
        same(
            suppose(viewing, identity_map(), cut, mode=mode, **asked),
            live(viewing, cut, mode=mode, **asked),
        )


class Deal:
    """A deal that only does what the rules allow, day after day."""

    def __init__(self, name: str, to: StageMap) -> None:
        self._name, self._to = name, to
        self._stage, self._open = deals.AWARE, True

    def told(self, choice: int, day: int) -> Iterator[tuple[Told, bool]]:
        """The next event, and whether it stays in its stage under the map."""
        when, stage = BEGIN + timedelta(days=day), deals.STAGES[choice % 3]
        if not self._open:
            self._stage, self._open = stage, True
            yield deals.reopened(self._name, when, stage), False
        elif choice >= 6:
            self._open = False
            close = deals.won if choice % 2 else deals.lost
            yield close(self._name, when, self._stage), False
        elif stage.key != self._stage.key:
            keys = self._to.new_keys
            kind = StageAdvanced if stage.rank > self._stage.rank else StageMovedBack
            event = kind(pipeline_version=1, previous=self._stage, stage=stage)
            stays = keys[stage.key] == keys[self._stage.key]
            self._stage = stage
            yield Told(self._name, event, when), stays


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 7)), min_size=6, max_size=20),
    maps(),
    st.integers(4, 20),
    st.sampled_from(("flow", "trend", "cohort")),
)
def test_a_move_between_stages_that_become_one_is_none(
    choices: list[tuple[int, int]], to: StageMap, day: int, mode: str
) -> None:
    units = {n: Deal(f"d{n}", to) for n in range(3)}
    told = [(deals.opened(f"d{n}", BEGIN), False) for n in units]
    for number, (unit, choice) in enumerate(choices):
        told += units[unit].told(choice, number)
    viewing = Viewing(FunnelView(UTC_EURO))
    viewing.tell(deals.defined(at("2020-01-01")), *(each for each, _ in told), batch=5)
    without = rewritten([each for each, stays in told if not stays], to)
    cut = Cut(micros(BEGIN + timedelta(days=day)))
    same(suppose(viewing, to, cut, mode=mode), live(without, cut, mode=mode))


def test_two_stages_become_one() -> None:
    funnel = Viewing(FunnelView(UTC_EURO))
    funnel.tell(deals.defined(at("2020-01-01")), deals.opened("a", BEGIN), deals.opened("b", BEGIN))
    funnel.tell(deals.advanced("a", BEGIN + timedelta(days=2), deals.TRIAL))
    funnel.tell(deals.advanced("a", BEGIN + timedelta(days=5), deals.OFFER, deals.TRIAL))
    to = stage_map(("interest", ["aware", "trial"]), ("offer", ["offer"]))
    answer = suppose(funnel, to, Cut(micros(BEGIN + timedelta(days=9))))
    assert column(answer, "stage") == ["INTEREST", "OFFER", "Won"]
    assert column(answer, "reached") == [2, 1, 0]
    assert column(answer, "days_in_stage_median") == [7.0, 4.0, None]
    flow = suppose(funnel, to, mode="flow")
    assert column(flow, "entered") == [2, 1, 0]
    assert column(flow, "left_forward") == [1, 0, 0]


def test_a_deal_that_is_taken_up_again_enters_though_it_stays() -> None:
    funnel = Viewing(FunnelView(UTC_EURO))
    funnel.tell(deals.defined(at("2020-01-01")), deals.opened("a", BEGIN), deals.lost("a", BEGIN))
    funnel.tell(deals.reopened("a", BEGIN, deals.TRIAL))
    to = stage_map(("interest", ["aware", "trial"]), ("offer", ["offer"]))
    assert column(suppose(funnel, to, mode="flow"), "entered") == [2, 0, 0]


def test_leads_have_stages_too() -> None:
    funnel = Viewing(FunnelView(UTC_EURO))
    captured = LeadCaptured(person_id=identity("p"), name="Ada", source="web")
    funnel.tell(Told("lead", captured, BEGIN), Told("lead", LeadQualified(), BEGIN))
    funnel.tell(Told("other", captured, BEGIN), Told("other", LeadDisqualified(reason="no"), BEGIN))
    to = stage_map(("known", ["captured", "qualified"]))
    answer = suppose(funnel, to, pipeline="leads")
    assert column(answer, "reached") == [2, 0]
    assert column(suppose(funnel, to, pipeline="leads", mode="flow"), "entered") == [2, 0]


def test_a_map_that_does_not_fit_the_pipeline_is_refused() -> None:
    funnel = Viewing(FunnelView(UTC_EURO))
    funnel.tell(deals.defined(at("2020-01-01")), deals.opened("a", BEGIN))
    with pytest.raises(PolicyRefused, match="no stage signed; it has: aware, trial, offer"):
        suppose(funnel, stage_map(("all", [*KEYS, "signed"])))
    with pytest.raises(PolicyRefused, match="what becomes of trial, offer"):
        suppose(funnel, stage_map(("all", ["aware"])))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rank": 1}, "rank 1 stands twice"),
        ({"rank": 3}, "ranks count from 1 to 2"),
        ({"key": "one"}, "key one stands twice"),
        ({"from": ["aware"]}, "old stage aware stands twice"),
        ({"colour": "red"}, "there is no colour; there are: key, name, rank"),
        ({"rank": 0}, "greater than or equal to 1"),
    ],
)
def test_a_map_that_contradicts_itself_is_refused(change: Mapping[str, Any], said: str) -> None:
    first = {"key": "one", "name": "One", "rank": 1, "from": ["aware"]}
    second = {"key": "two", "name": "Two", "rank": 2, "from": ["trial"], **change}
    with pytest.raises(ValidationError, match=said):
        StageMap.model_validate({"stages": [first, second]})
