"""Bars say what was missed, and what was not measured is not taken for kept."""

from __future__ import annotations

from typing import Any

from tests.faults.bars import BARS, measured, rows
from tests.faults.catalogue import SCENARIOS


def scenario(name: str, **figures: Any) -> dict[str, Any]:
    return {"name": name, "figures": figures}


def kills(**figures: Any) -> list[dict[str, Any]]:
    return list(
        measured([scenario("kills", apis_killed_alone=7, api_asked_after_5_s=90, **figures)])
    )


def test_figure_at_its_bar_is_within_and_beyond_it_is_not() -> None:
    for seconds, percent, within in ((5.0, 95.0, True), (5.1, 94.9, False)):
        found = kills(api_back_slowest_seconds=seconds, api_rate_after_5_s_percent=percent)
        assert [each["within"] for each in found] == [within, within]
        assert [each["n"] for each in found] == [7, 90]


def test_what_was_not_measured_is_neither() -> None:
    found = kills()
    assert [each["within"] for each in found] == [None, None]
    assert rows(found)[1][-1] == "not measured"


def test_figure_over_another_is_their_quotient() -> None:
    steady = {"events_a_second_in_the_storm": 10.0, "events_a_second_steady": 40.0}
    (found,) = measured([scenario("rebalance-storm", comings_and_goings=4, **steady)])
    assert (found["measured"], found["within"]) == (0.25, False)


def test_others_are_shown_beside_it() -> None:
    found = kills(
        api_back_slowest_seconds=4,
        api_back_median_seconds=1.25,
        storm_api_back_median_seconds=3.5,
        storm_api_back_slowest_seconds=6.5,
    )
    storm = "storm api back median seconds 3.5, storm api back slowest seconds 6.5"
    assert rows(found)[1] == [
        "kills",
        "an API that was killed answers again, slowest, seconds",
        "7",
        f"4 (api back median seconds 1.25, {storm})",
        "at most 5",
        "yes",
    ]


def test_scenarios_that_did_not_run_have_no_bars() -> None:
    assert list(measured([])) == []


def test_every_bar_is_of_a_scenario_that_there_is() -> None:
    assert {bar.scenario for bar in BARS} <= {each.name for each in SCENARIOS}
