"""`python -m tests.bench --picture`: what was measured into docs/growth.svg and its table."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.bench.growth.running import RESULTS
from tests.bench.growth.stepping import Size
from tests.bench.measuring import NotDone
from tests.bench.peers.installing import peers_python
from tests.bench.report import ROOT

PICTURE: Final = ROOT / "docs" / "growth.svg"
_HEADERS: Final = (
    *("events", "append /s", "project /s", "funnel, first ms", "then", "as of"),
    *("retention, first ms", "then", "as of"),
    *("log MiB", "views MiB", "memory MiB", "peak"),
)


def draw(measured: Path = RESULTS, picture: Path = PICTURE) -> None:
    """Raises NotDone where it cannot be drawn."""
    program = Path(__file__).with_name("drawing.py")
    command = [str(peers_python()), str(program), str(measured), str(picture)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotDone(f"the picture could not be drawn: {done.stderr[-1_500:]}")


def markdown(sizes: Sequence[Size]) -> str:
    lines = [_HEADERS, ("---:",) * len(_HEADERS), *(_row(size) for size in sizes)]
    drawn = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{drawn}\n\n{max((size.cores for size in sizes), default=0)} cores."


def _row(size: Size) -> tuple[str, ...]:
    figures = (
        *(size.events, size.append_rate, size.project_rate),
        *(size.funnel_first_ms, size.funnel_ms, size.funnel_as_of_ms),
        *(size.retention_first_ms, size.retention_ms, size.retention_as_of_ms),
        *(size.log_mib, size.views_mib, size.resident_mib, size.peak_mib),
    )
    return tuple("over 60 s" if each is None else f"{each:,.0f}" for each in figures)
