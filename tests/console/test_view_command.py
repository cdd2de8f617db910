"""`crm view`: what people and machines get, and how wrong questions are refused."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from crm_console.home import Home
from crm_servers.ports import free_port

from tests.console.homes import Crm, Office

BEFORE_THE_END = "2026-06-20"
TELLING = [
    ("funnel", "owner", "units open won lost win rate won amount mean days to win"),
    ("satisfaction", "agent", "tickets responses response rate mean top-2 box bottom-2 box"),
    ("retention", "region", "customers orders revenue repeat rate retention rate"),
]
COHORT = ["cohort", "size", "offset", "active", "retention", "revenue", "complete"]


def table_of(text: str, *, last: bool = True) -> list[list[str]]:
    """The cells of the last table, or of the first; its heads come first."""
    tables = text.split("╭")[1:]
    lines = (tables[-1] if last else tables[0]).splitlines()
    return [[c.strip() for c in line.strip("│").split("│")] for line in lines if "│" in line]


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize(("view", "by", "heads"), TELLING, ids=[view for view, _, _ in TELLING])
def test_groups_show_their_most_telling_figures(crm: Crm, view: str, by: str, heads: str) -> None:
    shown = table_of(crm("view", view, "--by", by, "-o", "table").out)
    assert " ".join(shown[0]) == f"{by} {heads}"
    groups = crm.view(view, "--by", by)["groups"]
    assert [line[0] for line in shown[1:]] == [group["name"] or "–" for group in groups]
    assert len(groups) > 1


@pytest.mark.parametrize(("view", "by"), [("funnel", "owner"), ("satisfaction", "agent")])
def test_json_and_csv_of_groups_have_every_figure(crm: Crm, view: str, by: str) -> None:
    groups = crm.view(view, "--by", by)["groups"]
    rows = read(crm("view", view, "--by", by, "-o", "csv").out)
    assert [list(row) for row in rows] == [["key", "name", *g["totals"]] for g in groups]
    assert [row["key"] for row in rows] == [g["key"] for g in groups]


def test_totals_are_named_for_people(crm: Crm) -> None:
    shown = crm("view", "funnel", "-o", "table").out
    totals = crm.view("funnel")["totals"]
    figures = dict(table_of(shown, last=False)[1:])
    assert figures["win rate"] == f"{totals['win_rate_closed'] * 100:.2f} %"
    assert figures["won amount"].endswith(" EUR")
    assert len(figures) == len(totals)


def test_funnel_prints_the_five_column_table(crm: Crm) -> None:
    shown = table_of(crm("view", "funnel", "-o", "table").out)
    assert shown[0] == ["阶段", "客户数量", "转化率", "失败率", "备注"]
    first = crm.view("funnel")["rows"][0]
    assert shown[1][1] == str(first["reached"])
    assert shown[1][2] == f"{first['step_conversion'] * 100:.2f} %"


def test_satisfaction_prints_the_distribution(crm: Crm) -> None:
    shown = table_of(crm("view", "satisfaction", "-o", "table").out)
    scores = crm.view("satisfaction")["distribution"]
    assert shown == [["score", *scores], ["answers", *map(str, scores.values())]]


def test_retention_prints_the_triangle(crm: Crm) -> None:
    asked = ("view", "retention", "--as-of", BEFORE_THE_END)
    shown = table_of(crm(*asked, "-o", "table").out)
    rows = crm.view("retention", "--as-of", BEFORE_THE_END)["rows"]
    assert shown[0] == ["cohort", "size", *(str(n) for n in range(len(rows[0]["cells"])))]
    assert [line[:2] for line in shown[1:]] == [[r["cohort"], str(r["size"])] for r in rows]
    assert shown[1][2] == "100.0"
    assert shown[-1][2] == "100.0*"


def test_retention_csv_has_a_line_for_each_cohort_and_offset(crm: Crm) -> None:
    rows = read(crm("view", "retention", "-o", "csv").out)
    cohorts = crm.view("retention")["rows"]
    assert list(rows[0]) == COHORT
    assert [(row["cohort"], row["offset"]) for row in rows] == [
        (cohort["cohort"], str(cell["offset"])) for cohort in cohorts for cell in cohort["cells"]
    ]
    first = cohorts[0]["cells"][0]
    assert rows[0] == {
        "cohort": cohorts[0]["cohort"],
        "size": str(cohorts[0]["size"]),
        "offset": "0",
        "active": str(first["active"]),
        "retention": str(first["retention"]),
        "revenue": first["revenue"]["amount"],
        "complete": "true",
    }


def test_retention_csv_by_group_names_the_group(crm: Crm) -> None:
    rows = read(crm("view", "retention", "--by", "region", "-o", "csv").out)
    groups = crm.view("retention", "--by", "region")["groups"]
    assert list(rows[0]) == ["key", "name", *COHORT]
    assert len(rows) == sum(len(r["cells"]) for group in groups for r in group["rows"])
    assert {row["name"] for row in rows} == {group["name"] or "" for group in groups}


def test_set_gives_any_parameter(crm: Crm) -> None:
    found = crm.view("retention", "--set", "every=30d", "--set", "active_days=60")
    assert (found["parameters"]["every"], found["parameters"]["active_days"]) == ("30d", 60)
    assert crm.view("funnel", "--set", "pipeline=leads")["parameters"]["pipeline"] == "leads"


def test_as_of_and_periods_reach_the_view(crm: Crm) -> None:
    before = crm.view("funnel", "--as-of", "2020-01-01")
    assert before["totals"]["units"] == 0
    assert before["parameters"]["as_of"].startswith("2020-01-01T23:59:59")
    none = crm.view("funnel", "--from", "2020-01-01", "--to", "2020-02-01")
    assert none["totals"]["units"] == 0
    known = crm.view("funnel", "--known-at", "2020-01-01")
    assert (known["totals"]["units"], known["known"]) == (0, {"contacts": 0, "pipeline": 0})


WRONG: list[tuple[list[str], str]] = [
    (["funel"], "There is no view 'funel'; there are: funnel, satisfaction, retention."),
    (["funel", "--by", "region"], "There is no view 'funel'; there are: funnel"),
    (["funnel", "--as-of", "2026-13-40"], "--as-of: '2026-13-40' is no date or time; write it as"),
    (["funnel", "--by", "planet"], "--by: Input should be 'owner', 'manager', 'team'"),
    (["funnel", "--mode", "sideways"], "mode: Input should be 'cohort', 'snapshot', 'flow'"),
    (["funnel", "--set", "colour=red"], "colour: unknown field"),
    (["funnel", "--set", "pipeline=nowhere"], "nowhere"),
    (["retention", "--set", "active_days=soon"], "active_days: "),
]


@pytest.mark.parametrize(("asked", "why"), WRONG, ids=[" ".join(asked) for asked, _ in WRONG])
def test_wrong_questions_end_with_2_and_one_sentence(crm: Crm, asked: list[str], why: str) -> None:
    done = crm("view", *asked)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"crm: {why}" if why != "nowhere" else "crm: ")
    assert why in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("told", ["every", "every 30d"])
def test_set_without_a_value_is_refused(crm: Crm, told: str) -> None:
    done = crm("view", "retention", "--set", told)
    assert done.code == 2
    assert f"--set takes name=value, not '{told}'" in done.err


def test_nothing_in_the_home_is_an_empty_answer(tmp_path: Path) -> None:
    """The command hosts a new home itself."""
    crm = Crm.on(Home(tmp_path / "new"))
    done = crm("view", "retention", "-o", "table")
    assert done.code == 0, done.err
    assert table_of(done.out)[1] == ["customers", "0"]
    assert read(crm("view", "retention", "-o", "csv").out)[0]["customers"] == "0"


def test_a_named_server_is_asked(office: Office, tmp_path: Path) -> None:
    crm = Crm(("--home", str(tmp_path / "none"), "--server", office.address))
    units = crm.view("funnel")["totals"]["units"]
    assert units == Crm.on(office.home).view("funnel")["totals"]["units"] > 0
    assert not (tmp_path / "none").exists()


def test_a_server_that_is_not_there_ends_with_1() -> None:
    address = f"http://127.0.0.1:{free_port()}"
    done = Crm((), {"CRM_SERVER": address})("view", "funnel")
    assert (done.code, done.out) == (1, "")
    assert done.err == f"crm: No answer from {address} (ConnectError); is the server running?\n"


@pytest.mark.parametrize("server", ["localhost:8000", "ftp://crm", "http://"])
def test_an_address_that_is_none_ends_with_2(server: str) -> None:
    done = Crm(("--server", server))("view", "funnel")
    assert done.code == 2
    assert f"{server!r} is no address of a server" in " ".join(done.err.split())
