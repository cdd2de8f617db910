"""`crm export`: the same rows in every format, a sidecar that holds, and no half files."""

from __future__ import annotations

import csv
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from crm_console.exporting.export import Exported, export
from crm_console.exporting.writing import Column, Format

from tests.console.homes import Crm, Office, heads_of


def _jsonl(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _sidecar(path: Path) -> Any:
    said = json.loads(Path(f"{path}.json").read_text())
    assert said["sha256"] == sha256(path.read_bytes()).hexdigest()
    assert said["bytes"] == path.stat().st_size
    return said


def test_events_are_the_same_in_every_format(crm: Crm, office: Office, tmp_path: Path) -> None:
    paths = {format: tmp_path / f"events.{format}" for format in ("csv", "jsonl", "parquet")}
    for format, path in paths.items():
        done = crm("export", "events", "--format", format, "--out", path)
        assert done.code == 0, done.err
    said = _sidecar(paths["jsonl"])
    assert said["position"] == heads_of(office)
    lines, cells = _jsonl(paths["jsonl"]), _csv(paths["csv"])
    rows = pq.read_table(paths["parquet"]).to_pylist()
    assert len(lines) == len(cells) == len(rows) == said["rows"] == sum(said["position"].values())
    for line, cell, row in zip(lines, cells, rows, strict=True):
        assert line["id"] == cell["id"] == row["id"]
        assert line["occurredat"] == cell["occurredat"] == row["occurredat"].isoformat()
        assert line["data"] == json.loads(cell["data"]) == json.loads(row["data"])
    assert [line["sequence"] for line in lines if line["context"] == "pipeline"] == sorted(
        line["sequence"] for line in lines if line["context"] == "pipeline"
    )


def test_events_of_a_period_and_of_what_was_known(crm: Crm, tmp_path: Path) -> None:
    whole, part, none = (tmp_path / name for name in ("whole", "part", "none"))
    crm("export", "events", "--format", "jsonl", "--out", whole)
    crm("export", "events", "--from", "2026-05-01", "--to", "2026-06-01",
        "--format", "jsonl", "--out", part)  # fmt: skip
    wanted = [e for e in _jsonl(whole) if "2026-05-01" <= e["occurredat"] < "2026-06-01"]
    assert _jsonl(part) == wanted != []
    crm("export", "events", "--known-at", "2001-01-01", "--format", "csv", "--out", none)
    assert (_csv(none), _sidecar(none)["rows"]) == ([], 0)


def test_facts_are_those_of_one_position(crm: Crm, tmp_path: Path) -> None:
    out = tmp_path / "facts"
    done = crm("export", "facts", "--format", "parquet", "--out", out, "-o", "json")
    assert done.code == 0, done.err
    assert {"funnel_standing", "satisfaction_survey", "retention_order"} <= {
        file.stem for file in out.glob("*.parquet")
    }
    table = out / "retention_order.parquet"
    rows, said = pq.read_table(table).to_pylist(), _sidecar(table)
    assert said["definition"]["id"] == "retention"
    open_ended = [row for row in rows if row["known_to"] is None]
    assert len(open_ended) == crm.view("retention", "--as-of", "2026-12-31")["totals"]["orders"]
    assert max(row["known_from"] for row in rows) <= said["position"]["pipeline"]


def test_facts_known_before_anything_was_are_none(crm: Crm, tmp_path: Path) -> None:
    out = tmp_path / "facts"
    crm("export", "facts", "--view", "retention", "--known-at", "2001-01-01", "--out", out)
    assert _csv(out / "retention_order.csv") == []


def test_a_view_is_exported_with_its_citation(crm: Crm, tmp_path: Path) -> None:
    file = tmp_path / "funnel.csv"
    done = crm("export", "funnel", "--set", "by=region", "--as-of", "2026-06-20", "--out", file)
    assert done.code == 0, done.err
    said = _sidecar(file)
    groups = crm.view("funnel", "--by", "region", "--as-of", "2026-06-20")["groups"]
    assert [int(row["units"]) for row in _csv(file)] == [g["totals"]["units"] for g in groups]
    assert crm("report", "cite", said["citation"]).code == 0


def test_sealed_fields_leave_sealed(crm: Crm, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    crm("export", "events", "--format", "jsonl", "--out", file)
    names = [e["data"]["name"] for e in _jsonl(file) if e["type"].endswith("LeadCaptured.v2")]
    assert names
    assert all(name.startswith("~1.") for name in names)


@pytest.mark.parametrize("format", list(Format))
def test_an_export_that_breaks_leaves_what_was_there(tmp_path: Path, format: Format) -> None:
    path = tmp_path / "file"
    good = Exported([Column("n", "integer")], [[{"n": 1}]], {"pipeline": 1})
    export(good, path, format, lambda _: None)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    def breaking(error: BaseException) -> Any:
        yield [{"n": 2}]
        raise error

    for error in (KeyboardInterrupt(), OSError("the pipe is full")):
        broken = Exported([Column("n", "integer")], breaking(error), {"pipeline": 2})
        with pytest.raises(type(error)):
            export(broken, path, format, lambda _: None)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["happiness"], "There is no"),
        (["events", "--from", "yesterday"], "is no date or time"),
        (["facts", "--as-of", "2026-01-01"], "only --known-at"),
        (["facts", "--view", "happiness"], "There is no view"),
        (["events", "--view", "funnel"], "--view says whose facts"),
        (["funnel", "--format", "xlsx"], "xlsx"),
    ],
)
def test_wrong_use_writes_nothing(
    crm: Crm, tmp_path: Path, arguments: list[str], said: str
) -> None:
    done = crm("export", *arguments, "--out", tmp_path / "out")
    assert done.code == 2
    assert said in done.err
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert left == []


@pytest.mark.parametrize("place", ["/nowhere/file", "/dev/full", "/"])
def test_a_place_that_takes_no_file_is_told(crm: Crm, place: str) -> None:
    done = crm("export", "events", "--out", place)
    assert done.code == 2
    assert done.err.startswith("crm: ")
    assert place in done.err
