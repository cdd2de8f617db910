"""What was measured of one view on one database, and all of it as a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

BARS: Final = {"postgresql": 300.0, "sqlite": 500.0}
"""Milliseconds that the p95 of an answer over a million events is to stay under."""
_HEADERS: Final = (
    *("view", "database", "events", "p50 ms", "p95 ms", "CPU p95 ms", "bar ms", ""),
    *("first s", "CPU s", "next process s", "CPU s", "memory MiB"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Milliseconds. `first` is the answer of a process that kept nothing yet, `next_first` that of
    the process after it, which finds a file in a folder; the others are of instants by
    chance, each after a hundred events that came since the one before. `cpu` is the processor time
    of this process alone."""

    view: str
    database: str
    events: int
    first: float
    first_cpu: float
    next_first: float
    next_first_cpu: float
    p50: float
    p95: float
    cpu_p95: float
    resident_mib: float
    cores: int


def table(found: Iterable[Asked]) -> str:
    """In Markdown."""
    rows = [_HEADERS, tuple("---" for _ in _HEADERS), *(_row(each) for each in found)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(asked: Asked) -> tuple[str, ...]:
    bar = BARS[asked.database]
    milliseconds = (asked.p50, asked.p95, asked.cpu_p95)
    seconds = (asked.first, asked.first_cpu, asked.next_first, asked.next_first_cpu)
    return (
        *(asked.view, asked.database, f"{asked.events:,}"),
        *(f"{each:,.0f}" for each in (*milliseconds, bar)),
        "kept" if asked.p95 < bar else "missed",
        *(f"{each / 1_000:,.2f}" for each in seconds),
        f"{asked.resident_mib:,.0f}",
    )
