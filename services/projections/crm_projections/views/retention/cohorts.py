"""The cohort triangle from counts of (cohort, offset), in whole and in part."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_projections.facts.amounts import money
from crm_projections.facts.instants import month_name
from crm_projections.facts.statistics import ratio


@dataclass(slots=True)
class Cohort:
    """Customers by the month of their first order. Offsets count intervals from 0.

    `active` counts customers with an order in the interval, `last` customers by the offset of
    their last order, `revenue` is in ten-thousandths.
    """

    active: Counter[int] = field(default_factory=Counter)
    last: Counter[int] = field(default_factory=Counter)
    revenue: Counter[int] = field(default_factory=Counter)

    @property
    def size(self) -> int:
        return self.active[0]

    def active_at(self, offset: int, *, unbounded: bool) -> int:
        """Customers with an order in the interval, or in it or later."""
        if not unbounded:
            return self.active[offset]
        return sum(count for last, count in self.last.items() if last >= offset)


@dataclass(frozen=True, slots=True)
class Triangle:
    """How the rows are cut: the last offset of a cohort, and whether a cell's time is over."""

    last_offset: Callable[[int], int]
    complete: Callable[[int, int], bool]
    unbounded: bool
    currency: str


@dataclass(frozen=True, slots=True)
class TriangleCounts:
    """Rows (cohort, offset, active customers, revenue), and, where it is asked for, rows (cohort,
    offset, customers whose last order lies there)."""

    cells: Sequence[tuple[int, int, int, int]]
    lasts: Sequence[tuple[int, int, int]]


def cohorts_of(counts: TriangleCounts) -> dict[int, Cohort]:
    """Cohorts by their month."""
    cohorts: dict[int, Cohort] = defaultdict(Cohort)
    for cohort, offset, active, revenue in counts.cells:
        cohorts[cohort].active[offset] += active
        cohorts[cohort].revenue[offset] += revenue
    for cohort, offset, customers in counts.lasts:
        cohorts[cohort].last[offset] += customers
    return dict(sorted(cohorts.items()))


def cohort_rows(cohorts: Mapping[int, Cohort], triangle: Triangle) -> list[dict[str, Any]]:
    """A row for each cohort with its cells from offset 0."""
    return [
        {
            "cohort": month_name(month),
            "size": cohort.size,
            "cells": [
                _cell(cohort, month, offset, triangle)
                for offset in range(triangle.last_offset(month) + 1)
            ],
        }
        for month, cohort in cohorts.items()
    ]


def _cell(cohort: Cohort, month: int, offset: int, triangle: Triangle) -> dict[str, Any]:
    active = cohort.active_at(offset, unbounded=triangle.unbounded)
    return {
        "offset": offset,
        "active": active,
        "retention": ratio(active, cohort.size),
        "revenue": money(cohort.revenue[offset], triangle.currency),
        "complete": triangle.complete(month, offset),
    }
