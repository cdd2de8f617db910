"""Long work over HTTP: done beside the live view, told of, cancelled, and never half done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from crm_events.clock import utc_now
from crm_events.contracts.pipeline import DealOpened, PipelineDefined, Stage
from crm_events.feed.port import LaneBatch
from crm_events.ids import new_id
from crm_projections.engine.database import Database
from crm_projections.engine.generation import open_live
from crm_projections.jobs.queue import Queue
from sqlalchemy import inspect, update

from tests.projections.rig import lead
from tests.projections.served import Served, serving
from tests.support.fake_feed import FakeFeed
from tests.support.until import until

FIRST = Stage(key="first", name="First", rank=1, probability=0.1)
OPENED = DealOpened(pipeline="sales", pipeline_version=1, stage=FIRST)


class HeldFeed(FakeFeed):
    """Shows nothing more once it has been started, as a very long log would."""

    async def poll(self, max_events: int, timeout: float) -> Sequence[LaneBatch]:  # noqa: ARG002
        await asyncio.sleep(timeout)
        return ()


def _begin(served: Served, deals: int = 20) -> None:
    served.log.append(lead(0), PipelineDefined(key="sales", name="Sales", stages=(FIRST,)))
    for deal in range(1, deals + 1):
        served.log.append(lead(deal), OPENED)


@pytest.fixture
async def served(database: Database) -> AsyncIterator[Served]:
    async with serving(database) as found:
        _begin(found)
        await found.settle()
        yield found


@pytest.fixture
async def local(sqlite: Database) -> AsyncIterator[Served]:
    """For what does not depend on the kind of database."""
    async with serving(sqlite) as found:
        _begin(found)
        await found.settle()
        yield found


@pytest.fixture
async def held(sqlite: Database) -> AsyncIterator[Served]:
    """Here rebuilds begin, and do not end by themselves."""
    async with serving(sqlite, history=HeldFeed) as found:
        _begin(found)
        await found.settle()
        yield found


async def _begun(served: Served, id: str) -> None:
    queue = Queue(served.views.database, utc_now)
    await until(lambda: queue.find(UUID(id)).status == "running")


def _tables(served: Served) -> list[str]:
    with served.views.database.reading() as connection:
        return sorted(inspect(connection).get_table_names())


async def test_readers_notice_nothing_of_a_rebuild(served: Served) -> None:
    """They read through it while deals are opened: no error, no step back, nothing lost."""
    seen: list[int] = []
    generations: set[int] = set()
    stop = asyncio.Event()

    async def read() -> None:
        while not stop.is_set():
            seen.append((await served.get("/funnel"))["totals"]["units"])
            views = (await served.get(""))["views"]
            generations.add(next(v["generation"] for v in views if v["name"] == "funnel"))

    reading = asyncio.create_task(read())
    deal, ended = 20, []
    for _ in range(3):
        id = (await served.ask(kind="rebuild", view="funnel"))["id"]
        while (job := await served.get(f"/jobs/{id}"))["ended_at"] is None:
            deal += 1
            served.log.append(lead(deal), OPENED)
        ended.append(job["status"])
    await served.settle()
    stop.set()
    await reading
    assert ended == ["done"] * 3
    assert seen == sorted(seen)
    assert (await served.get("/funnel"))["totals"]["units"] == deal > 20
    assert max(generations) > min(generations)


async def test_a_job_tells_how_far_it_is(served: Served) -> None:
    job = await served.worked(kind="rebuild", view="funnel")
    assert (job["status"], job["events"], job["total"]) == ("done", 21, 21)
    assert job["result"] == {"generation": 2}
    assert job["asked_by"] == "local:tester"
    assert [each["id"] for each in (await served.get("/jobs"))["jobs"]] == [job["id"]]


async def test_a_plan_says_what_a_rebuild_would_do(served: Served) -> None:
    plan = await served.get("/jobs/funnel:plan")
    assert (plan["events"], plan["position"]) == (21, {"contacts": 0, "pipeline": 21})
    assert (plan["rows"]["funnel_event"], plan["seconds"]) == (20, None)
    assert plan["bytes"] > 0
    await served.worked(kind="rebuild", view="funnel")
    plan = await served.get("/jobs/funnel:plan")
    assert plan["seconds"] == pytest.approx(21 / plan["rate"])


async def test_a_check_tells_rows_that_were_forged(served: Served) -> None:
    assert (await served.worked(kind="verify", view="funnel"))["result"]["equal"]
    table = open_live(served.views.database, served.views.questions[0], 0).tables.standings
    with served.views.database.writing() as connection:
        connection.execute(update(table).where(table.c.unit == lead(3)).values(stage="forged"))
    found = (await served.worked(kind="verify", view="funnel"))["result"]
    assert not found["equal"]
    difference = found["differences"][0]
    assert difference["what"] == "funnel_standing__g1"
    assert (difference["only_live"], difference["units"]) == (1, [str(lead(3))])
    assert "forged" in difference["samples"][0]


async def test_a_replay_to_a_position_is_what_it_was_there(served: Served) -> None:
    before = _tables(served)
    then = (await served.worked(kind="replay", view="funnel"))["result"]
    assert [table["rows"] for table in then["tables"]] == [20, 20, 1, 20]
    for deal in range(21, 60):
        served.log.append(lead(deal), OPENED)
    await served.settle()
    at = ["contacts/*/0", "pipeline/*/21"]
    assert (await served.worked(kind="replay", view="funnel", at=at))["result"] == then
    now = (await served.worked(kind="replay", view="funnel"))["result"]
    assert now["digest"] != then["digest"]
    assert _tables(served) == before


async def test_a_replay_to_a_time_cuts_what_was_recorded(local: Served) -> None:
    noon = utc_now() - timedelta(days=1)
    for context in ("contacts", "pipeline"):
        local.log.mark(context, noon)
        local.log.mark(context, noon + timedelta(hours=2))
    then = (await local.worked(kind="replay", view="funnel"))["result"]
    local.log.append(lead(99), OPENED)
    await local.settle()
    to = (noon + timedelta(hours=1)).isoformat()
    found = await local.worked(kind="replay", view="funnel", to=to)
    assert found["options"]["to"] == {"contacts": 0, "pipeline": 21}
    assert found["result"] == then


async def test_a_cancelled_job_leaves_nothing(held: Served) -> None:
    before = _tables(held)
    job = await held.ask(kind="rebuild", view="funnel")
    await _begun(held, job["id"])
    later = await held.ask(kind="verify", view="funnel")
    for id in (later["id"], job["id"]):
        answer = await held.client.post(f"/v1/views/jobs/{id}:cancel")
        assert answer.status_code == 200
    assert [(await held.ended(each["id"]))["status"] for each in (job, later)] == ["cancelled"] * 2
    assert _tables(held) == before
    assert (await held.get("/funnel"))["totals"]["units"] == 20


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ({"kind": "rebuild", "view": "happiness"}, 404, "there are: funnel, satisfaction"),
        ({"kind": "replay", "view": "funnel", "to": "yesterday"}, 422, "is no date or time"),
        ({"kind": "replay", "view": "funnel", "at": ["pipeline/*/1"]}, 422, "name each context"),
        ({"kind": "replay", "view": "retention", "at": ["pipeline/*/9999"]}, 422, "past the end"),
        ({"kind": "replay", "view": "retention", "at": ["pipeline/1"]}, 422, "such as pipeline"),
        ({"kind": "rebuild", "view": "funnel", "to": "2026-03-01"}, 422, "only a replay"),
        ({"kind": "polish", "view": "funnel"}, 422, "rebuild"),
    ],
)
async def test_wrong_work_is_refused_and_not_begun(
    local: Served, asked: dict[str, Any], status: int, said: str
) -> None:
    answer = await local.client.post("/v1/views/jobs", json=asked)
    assert answer.status_code == status
    assert said in answer.text
    assert (await local.get("/jobs"))["jobs"] == []


async def test_a_copy_of_the_log_that_is_not_here_is_told(local: Served) -> None:
    job = await local.worked(kind="replay", view="funnel", origin="kafka")
    assert job["status"] == "failed"
    assert job["reason"].startswith("There is no Kafka here")


async def test_a_job_nobody_asked_for_is_not_found(local: Served) -> None:
    for answer in (
        await local.client.get(f"/v1/views/jobs/{new_id()}"),
        await local.client.post(f"/v1/views/jobs/{new_id()}:cancel"),
        await local.client.get("/v1/views/jobs/happiness:plan"),
    ):
        assert answer.status_code == 404
