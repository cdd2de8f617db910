"""Figures that a run measured beside what they should be. A bar that is missed is said, and fails
nothing: times are of the machine too, invariants are not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Bar:
    """`figure` of a scenario should be at most `limit`, or at least. Where `over` is named, it is
    divided by that. `n` is the figure that says of how many it speaks, `beside` are others that
    are shown with it."""

    scenario: str
    what: str
    figure: str
    limit: float
    n: str
    at_least: bool = False
    over: str | None = None
    beside: tuple[str, ...] = ()

    def found(self, figures: Figures) -> float | None:
        """None where it was not measured."""
        value, parts = figures.get(self.figure), figures.get(self.over) if self.over else 1.0
        return round(value / parts, 2) if value is not None and parts else None

    def holds(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit

    def told(self) -> str:
        return f"{'at least' if self.at_least else 'at most'} {self.limit:g}"


def _without_broker(how: str) -> Sequence[Bar]:
    away = f"broker {how}"
    count, drained = f"{how}_commands", f"{how}_drained_events"
    return (
        Bar("broker-down", f"{away}: commands answered, percent", f"{how}_succeeded_percent",
            99.9, count, at_least=True),
        Bar("broker-down", f"{away}: p99 of commands, times that before", f"{how}_p99_ms",
            1.2, count, over=f"{how}_p99_before_ms"),
        Bar("broker-down", f"{away}: backlog drained, times the rate of arrival",
            f"{how}_drained_times_arrival", 5, drained, at_least=True),
    )  # fmt: skip


def _without_database(how: str) -> Sequence[Bar]:
    return (
        Bar("database-down", f"PostgreSQL {how}: slowest 503, seconds",
            f"{how}_slowest_503_seconds", 1, f"{how}_503s"),
        Bar("database-down", f"PostgreSQL {how}: a command is answered again, seconds",
            f"{how}_healed_seconds", 3, f"{how}_outages"),
    )  # fmt: skip


BARS: Final[Sequence[Bar]] = (
    Bar("kills", "an API that was killed answers again, slowest, seconds",
        "api_back_slowest_seconds", 5, "apis_killed_alone",
        beside=("api_back_median_seconds", "storm_api_back_median_seconds",
                "storm_api_back_slowest_seconds")),
    Bar("kills", "its rate from 5 s after its death on, percent of that before",
        "api_rate_after_5_s_percent", 95, "api_asked_after_5_s", at_least=True),
    *_without_broker("killed"),
    *_without_broker("frozen"),
    *_without_database("stopped"),
    *_without_database("killed"),
    Bar("bad-networks", "well again after a cut, slowest, seconds", "slowest_recovery_seconds",
        10, "cuts"),
    Bar("frozen-projector", "thaws at which a late write was refused; none went through (I2)",
        "thaws_refused", 5, "frozen", at_least=True, beside=("late_writes_refused",)),
    Bar("poison", "price of one event in 1,000, percent of processor time",
        "cost_in_processor_time_percent", 5, "poisoned_events"),
    Bar("rolling-restart", "from SIGTERM to the end, slowest, seconds", "slowest_end_seconds", 10,
        "ended"),
    Bar("rebalance-storm", "events a second, part of those before",
        "events_a_second_in_the_storm", 0.4, "comings_and_goings", at_least=True,
        over="events_a_second_steady"),
    Bar("slow-consumer", "p99 of a read of another view beside it, times that before",
        "other_view_p99_seconds", 1.1, "other_view_asked", over="other_view_p99_seconds_before",
        beside=("other_view_p99_seconds_in_the_flood",)),
    Bar("postgres-disk-full", "a command is answered once there is space, seconds",
        "well_after_seconds", 30, "fillings"),
    Bar("kafka-disk-full", "a command is answered once there is space, seconds",
        "well_after_seconds", 30, "fillings"),
)  # fmt: skip


def measured(scenarios: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every bar of these scenarios, as the report has them; `within` is None where a run did not
    measure it."""
    figures = {each["name"]: each["figures"] for each in scenarios}
    for bar in BARS:
        if bar.scenario in figures:
            yield _measured(bar, figures[bar.scenario])


def _measured(bar: Bar, figures: Figures) -> dict[str, Any]:
    value = bar.found(figures)
    return {
        "scenario": bar.scenario,
        "what": bar.what,
        "n": figures.get(bar.n),
        "measured": value,
        "beside": {name: figures.get(name) for name in bar.beside},
        "bar": bar.told(),
        "within": None if value is None else bar.holds(value),
    }


def rows(found: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """For a table, its heads first."""
    heads = ["scenario", "what", "n", "measured", "bar", "within bar"]
    return [heads, *map(_row, found)]


def _row(bar: Mapping[str, Any]) -> list[str]:
    within = {True: "yes", False: "no", None: "not measured"}[bar["within"]]
    value = _shown(bar["measured"])
    words = [f"{name.replace('_', ' ')} {_shown(v)}" for name, v in bar["beside"].items()]
    text = f"{value} ({', '.join(words)})" if words else value
    return [bar["scenario"], bar["what"], _shown(bar["n"]), text, bar["bar"], within]


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"
