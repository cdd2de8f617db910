"""The statistics the views share, against published values."""

from __future__ import annotations

import pytest
from crm_projections.facts.statistics import median_of, quantile_of, ratio, wilson


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"), [(960, 1200, 0.776, 0.822), (2, 3, 0.208, 0.939)]
)
def test_wilson_interval_as_published(successes: int, n: int, low: float, high: float) -> None:
    found = wilson(successes, n)
    assert found is not None
    assert (round(found[0], 3), round(found[1], 3)) == (low, high)


def test_median_interpolates_between_the_middle_two() -> None:
    assert median_of({1: 2, 4: 2}) == 2.5
    assert median_of({1: 1, 2: 1, 9: 1}) == 2.0
    assert quantile_of({0: 1, 10: 1}, 0.9) == 9.0


def test_nothing_has_no_statistics() -> None:
    assert (median_of({}), wilson(0, 0), ratio(1, 0)) == (None, None, None)
