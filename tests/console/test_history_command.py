"""`crm history`: one thing's changes for people and machines."""

from __future__ import annotations

import csv
import io
import json
from itertools import pairwise

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
