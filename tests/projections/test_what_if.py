"""What if over HTTP: both answers of one snapshot, side by side, and a database left as it was."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from crm_events.contracts.pipeline import DealOpened, DealWon, PipelineDefined, Stage
from crm_projections.engine.database import Database
from sqlalchemy import MetaData, select

from tests.projections.rig import lead
from tests.projections.served import Served, serving

FIRST = Stage(key="aware", name="Aware", rank=1, probability=0.1)
SECOND = Stage(key="trial", name="Trial", rank=2, probability=0.2)
ONE = {"stages": [{"key": "all", "name": "All", "rank": 1, "from": ["aware", "trial"]}]}


@pytest.fixture
async def served(database: Database) -> AsyncIterator[Served]:
    async with serving(database) as found:
        stages = (FIRST, SECOND)
        found.log.append(lead(0), PipelineDefined(key="sales", name="Sales", stages=stages))
        for deal, stage in ((1, FIRST), (2, SECOND), (3, SECOND)):
            opened = DealOpened(pipeline="sales", pipeline_version=1, stage=stage)
            found.log.append(lead(deal), opened)
        found.log.append(lead(3), DealWon(stage=SECOND))
        await found.settle()
        yield found


def rows_of(database: Database) -> dict[str, list[Any]]:
    """Every row of every table of the views."""
    metadata = MetaData()
    with database.reading() as connection:
        schema = connection.get_execution_options().get("schema_translate_map", {}).get(None)
        metadata.reflect(connection, schema=schema)
        return {
            name: sorted(map(repr, connection.execute(select(table))))
            for name, table in metadata.tables.items()
        }


async def supposed(served: Served, view: str, policy: Any, **query: Any) -> Any:
    path = f"/v1/views/{view}/what-if"
    return await served.client.post(path, json=policy, params=query)


async def test_both_answers_stand_side_by_side(served: Served) -> None:
    answer = (await supposed(served, "funnel", ONE, as_of="2100-01-01")).json()
    assert [row["reached"] for row in answer["live"]["rows"]] == [3, 2, 1]
    assert [row["reached"] for row in answer["what_if"]["rows"]] == [3, 1]
    assert answer["live"] == await served.get("/funnel", as_of="2100-01-01")
    assert answer["live"]["position"] == answer["what_if"]["position"]
    by_place = {(each["figure"], each.get("row")): each for each in answer["differences"]}
    assert by_place["units", None] == {
        "figure": "units",
        "live": 3,
        "what_if": 3,
        "difference": 0,
    }
    trial, won = by_place["reached", "Trial"], by_place["step_conversion", "All"]
    assert (trial["live"], trial["what_if"], trial["difference"]) == (2, None, None)
    assert (won["live"], won["what_if"]) == (None, pytest.approx(1 / 3))
    assert by_place["won_amount", None]["difference"] == {"amount": "0", "currency": "EUR"}


async def test_groups_and_scores_stand_side_by_side(served: Served) -> None:
    funnel = (await supposed(served, "funnel", ONE, by="source")).json()
    groups = [each for each in funnel["differences"] if "group" in each]
    assert {each["figure"] for each in groups} >= {"units", "reached"}
    rule = {"satisfied_from": 5, "answer": "first"}
    satisfaction = (await supposed(served, "satisfaction", rule)).json()
    names = [each["figure"] for each in satisfaction["differences"]]
    assert names.count("answers") == 5
    assert satisfaction["what_if"]["totals"] == satisfaction["live"]["totals"]


async def test_nothing_is_written(served: Served, database: Database) -> None:
    before = rows_of(database)
    assert sum(map(len, before.values())) > 10
    for mode in ("cohort", "snapshot", "flow", "trend"):
        assert (await supposed(served, "funnel", ONE, mode=mode)).status_code == 200
    assert (await supposed(served, "satisfaction", {"answer": "first"})).status_code == 200
    assert rows_of(database) == before


@pytest.mark.parametrize(
    ("view", "policy", "status", "said"),
    [
        ("funnel", {"stages": []}, 422, "stages"),
        ("funnel", {"stages": [{**ONE["stages"][0], "from": ["aware"]}]}, 422, "of trial"),
        ("funnel", {"stages": [{**ONE["stages"][0], "from": ["x"]}]}, 422, "no stage x"),
        ("satisfaction", {"satisfied_from": 6}, 422, "satisfied_from"),
        ("satisfaction", {"sla": 1}, 422, "there are: satisfied_from"),
        ("retention", {}, 404, "there are: funnel, satisfaction"),
    ],
)
async def test_what_cannot_be_supposed_is_said(
    served: Served, view: str, policy: Any, status: int, said: str
) -> None:
    answer = await supposed(served, view, policy)
    assert (answer.status_code, said in answer.text) == (status, True), answer.text
