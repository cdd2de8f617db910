"""What is said of all customers together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from crm_projections.facts.amounts import money
from crm_projections.facts.statistics import ratio


@dataclass(frozen=True, slots=True)
class Sums:
    """Counts over customers: in the period, active at its end and start, in both, acquired."""

    customers: int
    orders: int
    revenue: int
    other_currency: int
    repeated: int
    repeated_by_day: int
    active: int
    active_at_start: int
    retained: int
    acquired: int


def named(sums: Sums, currency: str) -> dict[str, Any]:
    """The totals under their published names.

    The retention rate is by sets: of those active at the start, the share active at the end. The
    textbook value (E - N) / S is a check beside it; the two differ where new customers left again.
    """
    return {
        "customers": sums.customers,
        "orders": sums.orders,
        "revenue": money(sums.revenue, currency),
        "repeat_rate": ratio(sums.repeated, sums.customers),
        "repeat_rate_by_day": ratio(sums.repeated_by_day, sums.customers),
        "active": sums.active,
        "customer_retention_rate": ratio(sums.retained, sums.active_at_start),
        "customer_retention_rate_textbook": ratio(
            sums.active - sums.acquired, sums.active_at_start
        ),
    }
