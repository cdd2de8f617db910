"""`crm history`: one thing's changes for people and machines."""

from __future__ import annotations

import csv
import io
import json
from itertools import pairwise

import pytest
from crm_console.cli.stepping import moved
from crm_events.ids import new_id

from tests.console.homes import Crm
from tests.console.test_view_command import table_of


def won_deal(crm: Crm) -> str:
    return str(json.loads(crm("list", "deals", "--state", "won").out)[0]["id"])


def test_a_deal_tells_who_moved_it_from_where_to_where(crm: Crm) -> None:
    answer = json.loads(crm("history", "deal", won_deal(crm)).out)
    names = [event["event"] for event in answer["events"]]
    assert (names[0], names[-1]) == ("DealOpened", "DealWon")
    assert all(event["actor"] for event in answer["events"])
    moves = [
        (change["before"], change["after"])
        for event in answer["events"]
        for change in event["changes"]
        if change["field"] == "stage.key"
    ]
    assert moves[0][0] is None
    assert all(later[0] == earlier[1] for earlier, later in pairwise(moves))
    assert answer["record"]["stage.key"] == moves[-1][1]
    assert answer["version"] == len(answer["events"])


def test_table_and_csv_have_a_line_for_each_change(crm: Crm) -> None:
    deal = won_deal(crm)
    answer = json.loads(crm("history", "deal", deal).out)
    wanted = sum(len(event["changes"]) or 1 for event in answer["events"])
    shown = table_of(crm("history", "deal", deal, "-o", "table").out)
    assert shown[0] == ["when", "who", "event", "field", "from", "to"]
    assert len(shown) == wanted + 1
    rows = list(csv.DictReader(io.StringIO(crm("history", "deal", deal, "-o", "csv").out)))
    assert len(rows) == wanted


def test_what_is_not_there_is_said(crm: Crm) -> None:
    missing = str(new_id())
    done = crm("history", "ticket", missing)
    assert done.code == 2
    assert f"ticketing has no record {missing}" in done.err


def test_what_is_no_id_is_refused(crm: Crm) -> None:
    assert crm("history", "deal", "the big one").code == 2


def test_steps_begin_where_the_one_before_ended_and_end_at_the_record(crm: Crm) -> None:
    deal = won_deal(crm)
    record = json.loads(crm("history", "deal", deal).out)["record"]
    steps = json.loads(crm("history", "deal", deal, "--step").out)
    assert [step["step"] for step in steps] == list(range(1, len(steps) + 1))
    assert steps[0]["before"] == {}
    assert all(later["before"] == earlier["after"] for earlier, later in pairwise(steps))
    assert steps[-1]["after"] == record


def test_without_a_terminal_all_steps_are_printed(crm: Crm) -> None:
    deal = won_deal(crm)
    steps = json.loads(crm("history", "deal", deal, "--step").out)
    shown = crm("history", "deal", deal, "--step", "-o", "table").out
    for step in steps:
        assert f"{step['step']} of {len(steps)}: {step['event']}" in shown


@pytest.mark.parametrize(
    ("at", "key", "then"),
    [(0, "n", 1), (1, "p", 0), (0, "p", 0), (2, "\x1b[C", 2), (1, "\x1b[D", 0), (1, "x", 1)],
)
def test_keys_go_forward_and_back_within_the_history(at: int, key: str, then: int) -> None:
    assert moved(at, key, 3) == then
