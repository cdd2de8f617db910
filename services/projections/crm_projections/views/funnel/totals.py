"""What is said of all units of a funnel together, from counts of those that are alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crm_projections.facts.amounts import mean_money, money
from crm_projections.facts.statistics import mean_of, median_of, ratio


@dataclass(frozen=True, slots=True)
class Cell:
    """Units alike in all that counts: their number and their amounts.

    `units_with_amount` and `amount` (ten-thousandths) are of the reporting currency only.
    """

    key: Any
    stage: str
    state: str
    furthest: str
    furthest_rank: int
    timed: bool
    history_unknown: bool
    units: int
    units_with_amount: int
    amount: int
    other_currency: int


@dataclass(frozen=True, slots=True)
class Closed:
    """Units that took as many days from entry to close, of those whose times are known."""

    key: Any
    state: str
    days: int
    units: int


@dataclass(slots=True)
class Totals:
    """Sums over cells; a histogram of days for closed and for won units."""

    by_state: Counter[str] = field(default_factory=Counter)
    amounts: Counter[str] = field(default_factory=Counter)
    priced: Counter[str] = field(default_factory=Counter)
    closed_days: Counter[int] = field(default_factory=Counter)
    won_days: Counter[int] = field(default_factory=Counter)
    history_unknown: int = 0
    time_disorder: int = 0
    other_currency: int = 0

    def add(self, cell: Cell) -> None:
        self.by_state[cell.state] += cell.units
        self.amounts[cell.state] += cell.amount
        self.priced[cell.state] += cell.units_with_amount
        self.other_currency += cell.other_currency
        if cell.history_unknown:
            self.history_unknown += cell.units
        elif not cell.timed:
            self.time_disorder += cell.units

    def add_closed(self, closed: Closed) -> None:
        self.closed_days[closed.days] += closed.units
        if closed.state == "won":
            self.won_days[closed.days] += closed.units


def totals_of(cells: Iterable[Cell], closed: Iterable[Closed]) -> Totals:
    totals = Totals()
    for cell in cells:
        totals.add(cell)
    for days in closed:
        totals.add_closed(days)
    return totals


def named(totals: Totals, currency: str) -> Mapping[str, Any]:
    """The totals under their published names."""
    won, lost, still_open = (totals.by_state[state] for state in ("won", "lost", "open"))
    units = won + lost + still_open
    return {
        "units": units,
        "open": still_open,
        "won": won,
        "lost": lost,
        "win_rate_closed": ratio(won, won + lost),
        "won_share_all": ratio(won, units),
        "won_amount": money(totals.amounts["won"], currency),
        "lost_amount": money(totals.amounts["lost"], currency),
        "open_amount": money(totals.amounts["open"], currency),
        "won_amount_mean": mean_money(totals.amounts["won"], totals.priced["won"], currency),
        "days_to_close_mean": mean_of(totals.closed_days),
        "days_to_close_median": median_of(totals.closed_days),
        "days_to_win_mean": mean_of(totals.won_days),
        "days_to_win_median": median_of(totals.won_days),
        "history_unknown": totals.history_unknown,
    }


def excluded(totals: Totals) -> dict[str, int]:
    """What was left out of something, by reason; reasons that hit nothing are not listed."""
    reasons = {
        "history_unknown_from_times": totals.history_unknown,
        "time_disorder_from_times": totals.time_disorder,
        "other_currency_from_amounts": totals.other_currency,
    }
    return {reason: count for reason, count in reasons.items() if count}
