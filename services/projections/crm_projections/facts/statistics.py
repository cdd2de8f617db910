"""The few statistics the views share; a zero denominator is null, never 0."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Final

_Z95: Final = 1.959963984540054


def ratio(numerator: float, denominator: float) -> float | None:
    """numerator / denominator, or None over nothing."""
    return numerator / denominator if denominator else None


def complement(share: float | None) -> float | None:
    """1 - share, or None where there is none."""
    return None if share is None else 1.0 - share


def wilson(successes: int, n: int) -> tuple[float, float] | None:
    """The 95 % interval of a proportion (Wilson 1927, score interval); None for n = 0."""
    if n == 0:
        return None
    share = successes / n
    spread = _Z95 * sqrt(share * (1 - share) / n + _Z95**2 / (4 * n**2))
    middle = share + _Z95**2 / (2 * n)
    scale = 1 + _Z95**2 / n
    return (middle - spread) / scale, (middle + spread) / scale


def mean_of(histogram: Mapping[int, int]) -> float | None:
    """The mean of values given as value -> count."""
    n = sum(histogram.values())
    return ratio(sum(value * count for value, count in histogram.items()), n)


def quantile_of(histogram: Mapping[int, int], q: float) -> float | None:
    """The q-quantile of values given as value -> count, linear between the two nearest."""
    n = sum(histogram.values())
    if n == 0:
        return None
    place = q * (n - 1)
    below = int(place)
    low = _nth(histogram, below)
    high = _nth(histogram, min(below + 1, n - 1))
    return low + (high - low) * (place - below)


def median_of(histogram: Mapping[int, int]) -> float | None:
    """The median of values given as value -> count; the mean of the middle two when even."""
    return quantile_of(histogram, 0.5)


def _nth(histogram: Mapping[int, int], index: int) -> float:
    seen = 0
    for value in sorted(histogram):
        seen += histogram[value]
        if seen > index:
            return float(value)
    raise IndexError(index)
