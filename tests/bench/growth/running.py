"""`python -m tests.bench --growth`: size after size, for as long as there is time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import orjson

from tests.bench.ground import ground
from tests.bench.growth.stepping import Size, growing
from tests.bench.report import ROOT, NothingMeasured

RESULTS: Final = ROOT / "build" / "growth.json"
_FIRST: Final = 10_000
_QUICK: Final = (2_000, 6_000)


def sizes(most: int) -> list[int]:
    """Powers of ten from ten thousand, and the largest itself."""
    found, size = [], _FIRST
    while size < most:
        found.append(size)
        size *= 10
    return [*found, most]


def run(most: int, minutes: float, *, quick: bool) -> None:
    """Measures, and writes after every size what is known by then."""
    with ground(quick=quick) as place, growing(place) as history:
        wanted = _QUICK if quick else sizes(most)
        found: list[Size] = []
        for size in within(wanted, history.measured, minutes * 60):
            found.append(size)
            write(found)
            print(told(size), flush=True)
    print(f"wrote {RESULTS.relative_to(ROOT)}; `python -m tests.bench --picture` draws it")


def within(
    wanted: Sequence[int],
    measured: Callable[[int], Size],
    seconds: float,
    now: Callable[[], float] = time.monotonic,
) -> Iterator[Size]:
    """One size after the other; none that by the pace of the last would end beyond the time."""
    started, reached, pace = now(), 0, 0.0
    for size in wanted:
        needed, left = pace * (size - reached), seconds - (now() - started)
        if needed > left:
            print(
                f"{size:,} events not run: about {needed / 60:.0f} minutes, {left / 60:.0f} are "
                "left; give --minutes",
                flush=True,
            )
            return
        begun = now()
        yield measured(size)
        pace, reached = (now() - begun) / (size - reached), size


def told(size: Size) -> str:
    asked = " ".join(
        f"{name} {'-' if value is None else f'{value:,.0f} ms'},"
        for name, value in (
            ("funnel first", size.funnel_first_ms),
            ("then", size.funnel_ms),
            ("as of", size.funnel_as_of_ms),
            ("retention first", size.retention_first_ms),
            ("then", size.retention_ms),
            ("as of", size.retention_as_of_ms),
        )
    )
    return (
        f"{size.events:>12,} events: append {size.append_rate:,.0f}/s, project "
        f"{size.project_rate:,.0f}/s, {asked} log {size.log_mib:,.0f} MiB, views "
        f"{size.views_mib:,.0f} MiB, memory {size.resident_mib:,.0f} MiB "
        f"(at most {size.peak_mib:,.0f})"
    )


def write(found: Sequence[Size], path: Path = RESULTS) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps([asdict(size) for size in found], option=orjson.OPT_INDENT_2))


def read(path: Path = RESULTS) -> list[Size]:
    """Raises NothingMeasured."""
    try:
        return [Size(**size) for size in orjson.loads(path.read_bytes())]
    except FileNotFoundError:
        raise NothingMeasured(
            f"{path} is not there; run `python -m tests.bench --growth` first."
        ) from None
