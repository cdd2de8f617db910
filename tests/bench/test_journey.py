"""The stages of R8 add up to the whole, whoever saw an instant first."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bench.journey import STAGES, Journeys


@pytest.fixture
def journeys() -> Journeys:
    """One event's, two milliseconds a stage, at a clock that ends at its last instant."""
    ends: Iterator[float] = iter([0.014] * 9)
    told = Journeys(lambda: next(ends))
    for number, stage in enumerate(STAGES[:-1], 1):
        told.reach(stage, [7], number * 0.002)
    return told


def test_stages_add_up_to_the_whole(journeys: Journeys) -> None:
    journeys.sample(7, begun=0.0)
    (lasted,) = journeys.lasted()
    assert lasted == pytest.approx(dict.fromkeys(STAGES, 2.0))


def test_what_comes_by_twice_counts_when_it_came_first(journeys: Journeys) -> None:
    journeys.reach("polled", [7], 0.013)
    journeys.sample(7, begun=0.0)
    (lasted,) = journeys.lasted()
    assert lasted["polled"] == pytest.approx(2.0)


def test_ends_that_saw_it_the_other_way_round_leave_no_time_between() -> None:
    told = Journeys(lambda: 0.010)
    told.reach("acknowledged by Kafka", [7], 0.006)
    told.reach("polled", [7], 0.004)
    told.sample(7, begun=0.0)
    (lasted,) = told.lasted()
    assert lasted["polled"] == pytest.approx(0.0)
    assert sum(lasted.values()) == pytest.approx(10.0)


def test_the_slowest_samples_name_the_stage_that_was(journeys: Journeys) -> None:
    journeys.reach("saved", [8], 0.001)
    journeys.reach("read by the relay", [8], 0.010)
    journeys.sample(7, begun=0.0)
    journeys.sample(8, begun=0.0)
    journeys.sample(9, begun=0.014)
    slow = [line for line in journeys.told().splitlines() if "slow:" in line]
    assert "longest until read by the relay" in slow[0] + slow[1]
    assert len(slow) == 3


def test_what_was_only_to_warm_up_is_forgotten(journeys: Journeys) -> None:
    journeys.sample(7, begun=0.0)
    journeys.forget()
    assert not journeys.told()


def test_without_samples_nothing_is_told(journeys: Journeys) -> None:
    assert not journeys.told()
