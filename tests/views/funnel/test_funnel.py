"""The funnel's definitions, on histories small enough to check by hand."""

from __future__ import annotations

import pytest
from crm_events.contracts.contacts import LeadCaptured, LeadConverted, LeadQualified
from crm_projections.views.funnel.projector import FunnelView
from crm_projections.views.funnel.stages import UnknownPipeline

from tests.support.viewing import UTC_EURO, Told, Viewing, at, column, identity, rounded
from tests.views.funnel.deals import (
    AWARE,
    OFFER,
    TRIAL,
    advanced,
    defined,
    euros,
    lost,
    moved_back,
    opened,
    reopened,
    won,
)

JAN1, JAN5, FEB1 = at("2026-01-01"), at("2026-01-05"), at("2026-02-01")


@pytest.fixture
def funnel() -> Viewing:
    viewing = Viewing(FunnelView(UTC_EURO))
    viewing.tell(defined(at("2020-01-01")))
    return viewing


def test_published_table_is_computed_from_counts() -> None:
    funnel = Viewing(FunnelView(UTC_EURO))
    funnel.tell(defined(JAN1, AWARE, TRIAL, won="购买"))
    funnel.tell(*(opened(f"d{n}", JAN1) for n in range(100)))
    funnel.tell(*(advanced(f"d{n}", JAN5, TRIAL) for n in range(10)))
    funnel.tell(won("d0", FEB1, TRIAL))
    answer = funnel.ask(failure="complement")
    assert column(answer, "客户数量") == [100, 10, 1]
    assert column(answer, "阶段") == ["aware", "trial", "购买"]
    assert rounded(column(answer, "转化率")) == [0.1, 0.1, None]
    assert rounded(column(answer, "失败率")) == [0.9, 0.9, None]
    assert rounded(column(answer, "overall_conversion")) == [1.0, 0.1, 0.01]


def test_step_and_overall_conversion_of_halving_counts(funnel: Viewing) -> None:
    funnel.tell(*(opened(f"d{n}", JAN1) for n in range(100)))
    funnel.tell(*(advanced(f"d{n}", JAN5, TRIAL) for n in range(50)))
    funnel.tell(*(advanced(f"d{n}", FEB1, OFFER, TRIAL) for n in range(25)))
    answer = funnel.ask()
    assert column(answer, "reached") == [100, 50, 25, 0]
    assert rounded(column(answer, "step_conversion")) == [0.5, 0.5, 0.0, None]
    assert rounded(column(answer, "overall_conversion")) == [1.0, 0.5, 0.25, 0.0]


def test_unit_entering_late_counts_in_every_stage_below(funnel: Viewing) -> None:
    funnel.tell(opened("late", JAN1, OFFER))
    assert column(funnel.ask(), "reached") == [1, 1, 1, 0]


def test_moving_back_does_not_lower_what_was_reached(funnel: Viewing) -> None:
    funnel.tell(opened("d", JAN1), advanced("d", JAN5, OFFER), moved_back("d", FEB1, AWARE, OFFER))
    assert column(funnel.ask(), "reached") == [1, 1, 1, 0]
    assert column(funnel.ask(mode="snapshot"), "standing") == [1, 0, 0, 0, 0]


def test_reopened_deal_counts_by_its_last_terminal_state(funnel: Viewing) -> None:
    funnel.tell(opened("d", JAN1), won("d", JAN5), reopened("d", FEB1, OFFER))
    funnel.tell(lost("d", at("2026-02-10"), OFFER))
    assert funnel.ask().totals["lost"] == 1
    assert funnel.ask(as_of="2026-01-10").totals["won"] == 1
    assert funnel.ask(as_of="2026-02-05").totals["open"] == 1


def test_totals_of_won_and_lost_deals(funnel: Viewing) -> None:
    funnel.tell(opened("a", JAN1), opened("b", JAN1), opened("c", JAN1))
    funnel.tell(won("a", JAN5, amount=euros(100)), lost("b", at("2026-01-03")))
    totals = funnel.ask().totals
    assert (totals["units"], totals["open"], totals["won"], totals["lost"]) == (3, 1, 1, 1)
    assert totals["win_rate_closed"] == 0.5
    assert totals["won_amount"] == {"amount": "100", "currency": "EUR"}
    assert (totals["days_to_close_mean"], totals["days_to_win_median"]) == (3.0, 4.0)


def test_nothing_divided_by_nothing_is_null(funnel: Viewing) -> None:
    totals = funnel.ask().totals
    assert totals["win_rate_closed"] is None
    assert totals["days_to_close_median"] is None


def test_back_dated_move_changes_as_of_but_no_old_known_at(funnel: Viewing) -> None:
    funnel.tell(opened("d", JAN1))
    published = funnel.sequences["pipeline"]
    funnel.tell(advanced("d", JAN5, TRIAL))
    known = {"pipeline": published}
    assert column(funnel.ask(as_of="2026-01-06", mode="snapshot"), "standing")[:2] == [0, 1]
    before = funnel.ask(as_of="2026-01-06", known=known, mode="snapshot")
    assert column(before, "standing")[:2] == [1, 0]


def test_correction_replaces_the_event_it_supersedes(funnel: Viewing) -> None:
    funnel.tell(opened("d", JAN1), won("d", JAN5, amount=euros(10)))
    mistaken = identity("d/2")
    told = won("d", JAN5, amount=euros(99))
    funnel.tell(Told("d", told.event, JAN5, supersedes=mistaken))
    assert funnel.ask().totals["won_amount"] == {"amount": "99", "currency": "EUR"}


def test_deal_closed_before_it_was_opened_is_left_out_of_times(funnel: Viewing) -> None:
    funnel.tell(opened("d", FEB1), won("d", JAN5))
    answer = funnel.ask()
    assert answer.totals["won"] == 1
    assert answer.totals["days_to_win_mean"] is None
    assert answer.excluded == {"time_disorder_from_times": 1}


def test_unknown_history_counts_but_has_no_times(funnel: Viewing) -> None:
    funnel.tell(opened("d", JAN1, history_unknown=True), lost("d", FEB1, history_unknown=True))
    answer = funnel.ask()
    assert (answer.totals["lost"], answer.totals["history_unknown"]) == (1, 1)
    assert answer.totals["days_to_close_mean"] is None


def test_flow_counts_moves_of_the_period_only(funnel: Viewing) -> None:
    funnel.tell(opened("a", JAN1), opened("b", FEB1))
    funnel.tell(advanced("a", at("2026-02-02"), TRIAL))
    answer = funnel.ask(mode="flow", start="2026-02-01", end="2026-03-01")
    assert column(answer, "entered") == [1, 1, 0, 0]
    assert column(answer, "left_forward") == [1, 0, 0, 0]


def test_cohort_takes_units_by_their_first_entry(funnel: Viewing) -> None:
    funnel.tell(opened("a", JAN1), opened("b", FEB1))
    answer = funnel.ask(start="2026-02-01", end="2026-03-01")
    assert column(answer, "reached")[0] == 1


def test_groups_add_up_and_keep_units_without_a_value(funnel: Viewing) -> None:
    funnel.tell(opened("a", JAN1, source="web"), opened("b", JAN1), won("a", JAN5))
    groups = funnel.ask(by="source").groups or []
    assert [(group["key"], group["totals"]["won"]) for group in groups] == [(None, 0), ("web", 1)]


def test_other_currency_is_left_out_of_sums_and_said(funnel: Viewing) -> None:
    yen = {"amount": "5000", "currency": "JPY"}
    funnel.tell(opened("a", JAN1), won("a", JAN5, amount=yen))
    answer = funnel.ask()
    assert answer.totals["won_amount"] == {"amount": "0", "currency": "EUR"}
    assert answer.excluded == {"other_currency_from_amounts": 1}


def test_time_in_stage_adds_up_visits(funnel: Viewing) -> None:
    funnel.tell(opened("d", JAN1), advanced("d", JAN5, TRIAL))
    funnel.tell(moved_back("d", at("2026-01-07"), AWARE, TRIAL))
    answer = funnel.ask(as_of="2026-01-10")
    assert column(answer, "days_in_stage_median")[:2] == [7.0, 2.0]


def test_leads_go_through_a_pipeline_of_their_own() -> None:
    funnel = Viewing(FunnelView(UTC_EURO))
    captured = LeadCaptured(person_id=identity("p"), name="张三", source="seo")
    converted = LeadConverted(
        person_id=identity("p"), deal_id=identity("d"), pipeline="sales", source="seo"
    )
    funnel.tell(Told("l", captured, JAN1), Told("m", captured, JAN1))
    funnel.tell(Told("l", LeadQualified(), JAN5), Told("l", converted, FEB1))
    assert column(funnel.ask(pipeline="leads"), "reached") == [2, 1, 1]


def test_unknown_pipeline_is_refused_with_the_known_ones(funnel: Viewing) -> None:
    with pytest.raises(UnknownPipeline, match="there are: leads, sales"):
        funnel.ask(pipeline="partners")


@pytest.mark.parametrize("batch", [1, 2, 100])
def test_batches_of_any_size_leave_the_same_standings(batch: int) -> None:
    funnel = Viewing(FunnelView(UTC_EURO))
    tellings = [defined(at("2020-01-01"))]
    for number in range(20):
        tellings += [opened(f"d{number}", JAN1), advanced(f"d{number}", JAN5, TRIAL)]
    tellings += [won(f"d{number}", FEB1) for number in range(7)]
    funnel.tell(*tellings, batch=batch)
    assert column(funnel.ask(), "reached") == [20, 20, 7, 7]
    assert column(funnel.ask(known={"pipeline": 10}), "reached") == [5, 4, 0, 0]


def test_flow_counts_a_deal_opened_and_won_at_one_instant(funnel: Viewing) -> None:
    funnel.tell(opened("d", JAN1), won("d", JAN1, AWARE))
    answer = funnel.ask(mode="flow")
    assert column(answer, "entered") == [1, 0, 0, 1]
    assert column(answer, "left_forward") == [1, 0, 0, 0]


def test_trend_by_entry_date_differs_from_the_unique_funnel(funnel: Viewing) -> None:
    """One unit enters on 1, 5 and 20 January and goes on upon 2 and 6 January."""
    funnel.tell(opened("d", JAN1), advanced("d", at("2026-01-02"), TRIAL))
    funnel.tell(moved_back("d", JAN5, AWARE, TRIAL), advanced("d", at("2026-01-06"), TRIAL))
    funnel.tell(moved_back("d", at("2026-01-20"), AWARE, TRIAL))
    assert column(funnel.ask(), "step_conversion")[0] == 1.0
    trend = funnel.ask(mode="trend")
    assert column(trend, "date") == ["2026-01-01", "2026-01-05", "2026-01-20"]
    assert column(trend, "step_conversion") == [1.0, 1.0, 0.0]
    assert column(funnel.ask(mode="trend", start="2026-01-05", end="2026-01-06"), "entered") == [1]
