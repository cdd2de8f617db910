"""What was measured goes out as it came in: as JSON, as a table, into the document."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import orjson
import pytest

from tests.bench import report
from tests.bench.ground import Ground
from tests.bench.measuring import Bars, Bench, Figures, Sides

FIGURES = Figures("R5", "one / other", 31_234, 50_000, "events/s", 0.6247, 0.5, 0.7, 5, 2)


def _unopened(_: Ground) -> AbstractContextManager[Sides]:
    raise AssertionError("nothing is run here")


BENCHES = [Bench("R5", "one / other", "events/s", _unopened, Bars(0.3, 0.6))]


def test_json_has_exactly_the_promised_names(tmp_path: Path) -> None:
    file = tmp_path / "build" / "bench.json"
    report.write([FIGURES], file)
    (found,) = orjson.loads(file.read_bytes())
    assert set(found) == {
        *("id", "name", "ours", "baseline", "unit", "ratio", "ratio_min", "ratio_max"),
        *("runs", "cores"),
    }
    assert report.read(file) == [FIGURES]


def test_nothing_measured_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(report.NothingMeasured, match="make bench"):
        report.read(tmp_path / "bench.json")


@pytest.mark.parametrize(
    ("ratio", "lower", "said"),
    [
        (0.7, False, "ambitious"),
        (0.3, False, "good"),
        (0.2, False, "below"),
        (0.2, True, "ambitious"),
        (0.4, True, "good"),
        (0.7, True, "below"),
    ],
)
def test_a_ratio_is_held_against_its_bars(ratio: float, lower: bool, said: str) -> None:
    bars = Bars(0.5, 0.3, lower_is_better=True) if lower else Bars(0.3, 0.6)
    assert report.standing(ratio, bars) == said


def test_the_table_lines_up() -> None:
    header, line = report.table([FIGURES], BENCHES).splitlines()
    assert line.split()[0] == "R5"
    assert header.index("ratio") == line.index("0.625")
    assert line.endswith("ambitious")


def test_only_the_measured_part_of_the_document_changes(tmp_path: Path) -> None:
    file = tmp_path / "benchmarks.md"
    file.write_text("before\n<!-- measured: begin -->\nold\n<!-- measured: end -->\nafter\n")
    report.document(file, measured=report.markdown([FIGURES], BENCHES))
    text = file.read_text()
    assert text.startswith("before\n<!-- measured: begin -->\n| id |")
    assert text.endswith("\n<!-- measured: end -->\nafter\n")
    assert "old" not in text
    assert "| R5 | one / other | 31,234 | 50,000 |" in text


def test_a_document_without_a_place_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "benchmarks.md"
    file.write_text("nothing here\n")
    with pytest.raises(LookupError):
        report.document(file, measured="new")
    assert file.read_text() == "nothing here\n"
