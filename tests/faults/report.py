"""What a run found: a table for people, build/faults.json for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.faults import bars
from tests.faults.invariants import INVARIANTS, Verdict
from tests.faults.trial import Outcome

ROOT: Final = Path(__file__).resolve().parents[2]
RESULTS: Final = ROOT / "build" / "faults.json"
RUNS: Final = ROOT / "build" / "faults"
DOCUMENT: Final = ROOT / "docs" / "faults.md"
_BEGIN, _END = "<!-- measured: begin -->\n", "<!-- measured: end -->"


class NothingMeasured(LookupError):
    """There is no report to write into the document; the message says how to make one."""


@dataclass
class Report:
    """`failed` are scenarios that came to no verdict, with the reason."""

    seed: int
    outcomes: list[Outcome] = field(default_factory=list)
    bugs: list[tuple[str, bool]] = field(default_factory=list)
    not_run: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        sound = not any(outcome.violated for outcome in self.outcomes)
        return sound and not self.failed and all(caught for _, caught in self.bugs)

    @property
    def kills(self) -> int:
        return sum(outcome.kills for outcome in self.outcomes)

    def bars(self) -> list[dict[str, Any]]:
        return list(bars.measured([_scenario(outcome) for outcome in self.outcomes]))

    def document(self) -> dict[str, Any]:
        missing = {**self.not_run, **{n: f"failed: {why}" for n, why in self.failed.items()}}
        return {
            "seed": self.seed,
            "scenarios": [_scenario(outcome) for outcome in self.outcomes],
            "bugs": [{"name": name, "caught": caught} for name, caught in self.bugs],
            "bars": self.bars(),
            "not_run": [{"name": name, "why": why} for name, why in missing.items()],
        }

    def write(self) -> None:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(self.document(), indent=1) + "\n")

    def table(self) -> str:
        heads = ["scenario", "kills", *INVARIANTS]
        rows = [[o.name, str(o.kills), *_cells(o.invariants)] for o in self.outcomes]
        text = _aligned([heads, *rows])
        bugs = [f"bug {name}: {'caught' if caught else 'NOT CAUGHT'}" for name, caught in self.bugs]
        absent = [f"not run: {name}: {why}" for name, why in self.not_run.items()]
        broken = [f"FAILED: {name}: {why}" for name, why in self.failed.items()]
        within = [_aligned_words(bars.rows(found))] if (found := self.bars()) else []
        return "\n".join([text, *within, *_examples(self.outcomes), *bugs, *absent, *broken])


def document() -> None:
    """Write the last run into the document. Raises NothingMeasured."""
    if not RESULTS.is_file():
        raise NothingMeasured(f"{RESULTS} is missing: run `make faults LONG=1` first.")
    text, found = DOCUMENT.read_text(), json.loads(RESULTS.read_text())
    before, rest = text.split(_BEGIN)
    DOCUMENT.write_text(before + _BEGIN + _markdown(found) + _END + rest.split(_END)[1])


def _markdown(found: Mapping[str, Any]) -> str:
    heads = ["scenario", "kills", *INVARIANTS, "measured"]
    lines = [heads, ["---"] * len(heads), *map(_row, found["scenarios"])]
    kills = sum(each["kills"] for each in found["scenarios"])
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    within = _words(bars.rows(found.get("bars", [])))
    return f"{table}\nSeed {found['seed']}, {kills} kills.\n\n{within}"


def _words(rows: Sequence[Sequence[str]]) -> str:
    heads, *rest = rows
    lines = [heads, ["---"] * len(heads), *rest]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _row(scenario: Mapping[str, Any]) -> list[str]:
    found = {n: Verdict(**counts) for n, counts in scenario["invariants"].items()}
    figures = [f"{name.replace('_', ' ')} {value}" for name, value in scenario["figures"].items()]
    return [scenario["name"], str(scenario["kills"]), *_cells(found), ", ".join(figures)]


def _scenario(outcome: Outcome) -> dict[str, Any]:
    counts = {
        name: {"checked": verdict.checked, "violated": verdict.violated}
        for name, verdict in outcome.invariants.items()
    }
    return {
        "name": outcome.name,
        "kills": outcome.kills,
        "invariants": counts,
        "seconds": round(outcome.seconds, 1),
        "figures": dict(outcome.figures),
    }


def _cells(invariants: Mapping[str, Verdict]) -> list[str]:
    """Violations of how many that were checked."""
    found = (invariants.get(name, Verdict()) for name in INVARIANTS)
    return [
        f"{verdict.violated}/{verdict.checked}" if verdict.checked else "-" for verdict in found
    ]


def _examples(outcomes: Sequence[Outcome]) -> list[str]:
    return [
        f"VIOLATED {name} in {outcome.name}: {example}"
        for outcome in outcomes
        for name, verdict in outcome.invariants.items()
        for example in verdict.examples
    ]


def verdicts(found: Mapping[str, Verdict]) -> str:
    """The verdicts of one run, with examples of what is wrong."""
    rows = [[name, str(v.checked), str(v.violated)] for name, v in found.items()]
    wrong = [f"{name}: {example}" for name, v in found.items() for example in v.examples]
    return "\n".join([_aligned([["", "checked", "violated"], *rows]), *wrong])


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for first, *rest in rows:
        cells = [text.rjust(width) for text, width in zip(rest, widths[1:], strict=True)]
        lines.append("  ".join([first.ljust(widths[0]), *cells]).rstrip())
    return "\n".join(lines)


def _aligned_words(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = (
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
    return "\n".join(["", *lines, ""])
