"""`crm what-if`: another policy from a file, beside what the view says."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.console.homes import Crm
from tests.support.commanding import Done


def stages_of(crm: Crm) -> list[str]:
    """The keys of the sample's pipeline, as a map that names none is told them."""
    file = "[[stages]]\nkey = 'nowhere'\nname = 'Nowhere'\nrank = 1\n"
    said = supposed(crm, "funnel", "--stages", file).err
    return said.partition("it has: ")[2].strip().rstrip(".").split(", ")


def supposed(crm: Crm, view: str, option: str, text: str, *more: str, ending: str = "toml") -> Done:
    file = Path(crm.options[1]).parent / f"policy.{ending}"
    file.write_text(text, encoding="utf-8")
    return crm("what-if", view, option, file, *more)


def merged(keys: list[str]) -> str:
    """The first two stages as one, the others as they are."""
    lines = [f"[[stages]]\nkey='early'\nname='Early'\nrank=1\nfrom={json.dumps(keys[:2])}\n"]
    for rank, key in enumerate(keys[2:], start=2):
        lines.append(f"[[stages]]\nkey='{key}'\nname='{key}'\nrank={rank}\n")
    return "".join(lines)


def test_two_stages_become_one_beside_the_live_funnel(crm: Crm) -> None:
    keys = stages_of(crm)
    done = supposed(crm, "funnel", "--stages", merged(keys), "--as-of", "2026-06-30")
    assert done.code == 0, done.err
    live = crm.view("funnel", "--as-of", "2026-06-30")
    assert done.json["live"]["rows"] == live["rows"]
    assert len(done.json["what_if"]["rows"]) == len(live["rows"]) - 1
    assert done.json["what_if"]["totals"] == live["totals"]
    as_json = json.dumps(
        {
            "stages": [
                {"key": "all", "name": "All", "rank": 1, "from": keys},
            ]
        }
    )
    one = supposed(crm, "funnel", "--stages", as_json, "--mode", "flow", ending="json")
    assert one.json["what_if"]["rows"][0]["stage"] == "All"


def test_tables_and_csv_stand_side_by_side(crm: Crm) -> None:
    policy = "satisfied_from = 5\nanswer = 'first'\n"
    more = ("--by", "team", "--as-of", "2026-06-30")
    drawn = supposed(crm, "satisfaction", "--policy", policy, *more, "-o", "table").out
    assert "what if: satisfaction" in drawn
    assert "difference" in drawn
    found = supposed(crm, "satisfaction", "--policy", policy, *more, "-o", "csv").out
    rows = list(csv.DictReader(io.StringIO(found)))
    whole = {row["figure"]: row for row in rows if not row["group"] and not row["row"]}
    assert float(whole["top2_box"]["what_if"]) < float(whole["top2_box"]["live"])
    assert float(whole["top2_box"]["difference"]) < 0
    assert whole["tickets"]["difference"] == "0"


@pytest.mark.parametrize(
    ("view", "text", "said"),
    [
        ("funnel", "stages = nonsense", "not valid TOML"),
        ("funnel", "stages = [2026-01-01]", "a date or time"),
        ("funnel", "colour = 'red'", "there is no colour; there are: stages"),
        ("satisfaction", "satisfied_from = 6", "satisfied_from: Input should be less than"),
        ("satisfaction", "sla_hours = 4", "there is no sla_hours; there are: satisfied_from"),
    ],
)
def test_what_cannot_be_supposed_is_one_sentence(crm: Crm, view: str, text: str, said: str) -> None:
    option = "--stages" if view == "funnel" else "--policy"
    done = supposed(crm, view, option, text)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_a_rank_that_stands_twice_and_a_file_that_is_not_there(crm: Crm) -> None:
    keys = stages_of(crm)
    twice = supposed(crm, "funnel", "--stages", merged(keys).replace("rank=2", "rank=1"))
    assert (twice.code, "rank 1 stands twice" in twice.err) == (2, True)
    absent = crm("what-if", "funnel", "--stages", "/nowhere/at/all.toml")
    assert (absent.code, "Cannot read /nowhere" in absent.err) == (2, True)
