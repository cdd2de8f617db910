"""Figures for people, for machines, and in the document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import orjson

from tests.bench.measuring import Bars, Bench, Figures

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "build" / "bench.json"
DOCUMENT = ROOT / "docs" / "benchmarks.md"
_HEADERS = ("id", "what", "ours", "baseline", "unit", "ratio", "range", "good", "ambitious", "")


class NothingMeasured(Exception):
    """There are no results to write into the document."""


def write(results: Sequence[Figures], path: Path = RESULTS) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps([asdict(r) for r in results], option=orjson.OPT_INDENT_2))


def read(path: Path = RESULTS) -> list[Figures]:
    """Raises NothingMeasured."""
    try:
        return [Figures(**result) for result in orjson.loads(path.read_bytes())]
    except FileNotFoundError:
        raise NothingMeasured(f"{path} is not there; run `make bench` first.") from None


def rows(results: Iterable[Figures], benches: Sequence[Bench]) -> list[tuple[str, ...]]:
    """One line for each result, with its bars and how it stands to them."""
    bars = {bench.id: bench.bars for bench in benches}
    return [_row(figures, bars.get(figures.id)) for figures in results]


def _row(figures: Figures, bars: Bars | None) -> tuple[str, ...]:
    return (
        figures.id,
        figures.name,
        shown(figures.ours),
        shown(figures.baseline),
        figures.unit,
        shown(figures.ratio),
        f"{shown(figures.ratio_min)} to {shown(figures.ratio_max)}",
        "" if bars is None else shown(bars.good),
        "" if bars is None else shown(bars.ambitious),
        "" if bars is None else standing(figures.ratio, bars),
    )


def standing(ratio: float, bars: Bars) -> str:
    """Which bar a ratio reaches."""

    def reaches(bar: float) -> bool:
        return ratio <= bar if bars.lower_is_better else ratio >= bar

    if reaches(bars.ambitious):
        return "ambitious"
    return "good" if reaches(bars.good) else "below"


def shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 1_000 else f"{value:.3g}"


def table(results: Iterable[Figures], benches: Sequence[Bench]) -> str:
    """In columns, for a terminal."""
    lines = [_HEADERS, *rows(results, benches)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADERS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def markdown(results: Sequence[Figures], benches: Sequence[Bench]) -> str:
    lines = [_HEADERS, ("---",) * len(_HEADERS), *rows(results, benches)]
    drawn = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    cores = max((figures.cores for figures in results), default=0)
    runs = min((figures.runs for figures in results), default=0)
    return f"{drawn}\n\n{cores} cores, at least {runs} rounds each."


def document(path: Path = DOCUMENT, *, measured: str, place: str = "measured") -> None:
    """Put a table where the document has the last one. Raises LookupError without the marks."""
    opening, closing = f"<!-- {place}: begin -->", f"<!-- {place}: end -->"
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(opening)
    _, end, after = rest.partition(closing)
    if not (begin and end):
        raise LookupError(f"{path} has no {opening} and {closing}")
    path.write_text(f"{before}{begin}\n{measured}\n{end}{after}", encoding="utf-8")
