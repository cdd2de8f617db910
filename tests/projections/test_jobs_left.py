"""What becomes of long work whose process ends: nothing that was read is read again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from crm_events.clock import utc_now
from crm_events.contracts.contacts import LeadTagged
from crm_events.contracts.pipeline import DealOpened, PipelineDefined, Stage
from crm_events.feed.port import LaneBatch
from crm_projections.engine.database import Database
from crm_projections.engine.generation import create_beside, open_live
from crm_projections.engine.tables import GENERATIONS
from crm_projections.jobs.job import Asked, Progress
from crm_projections.jobs.queue import Queue
from sqlalchemy import inspect, select

from tests.projections.rig import lead
from tests.projections.served import Served, serving
from tests.support.fake_feed import FakeFeed
from tests.support.until import until

FIRST = Stage(key="first", name="First", rank=1, probability=0.1)
OPENED = DealOpened(pipeline="sales", pipeline_version=1, stage=FIRST)
DEALS = 40
EVENTS = DEALS + 1
LEFT = (
    "The process that did it ended. Ask again: it goes on where it was, where that could be kept."
)


class HalfFeed(FakeFeed):
    """Shows an event of each lane, and then nothing more, as a log that cannot be read on would."""

    shown = False

    async def poll(self, max_events: int, timeout: float) -> Sequence[LaneBatch]:  # noqa: ARG002
        if self.shown:
            await asyncio.sleep(timeout)
            return ()
        self.shown = True
        return await super().poll(1, timeout)


class CountingFeed(FakeFeed):
    """Counts what it gives out."""

    given = 0

    async def poll(self, max_events: int, timeout: float) -> Sequence[LaneBatch]:
        batches = await super().poll(max_events, timeout)
        CountingFeed.given += sum(len(batch.envelopes) for batch in batches)
        return batches


def _begin(served: Served) -> None:
    served.log.append(lead(0), PipelineDefined(key="sales", name="Sales", stages=(FIRST,)))
    for deal in range(1, EVENTS):
        served.log.append(lead(deal), OPENED)


def _tables(database: Database) -> list[str]:
    with database.reading() as connection:
        return sorted(inspect(connection).get_table_names())


async def _half_done(database: Database, kind: str = "rebuild", *, cancel: bool = False) -> Any:
    """Work that is at its half when its process ends, or when it is cancelled; the job then."""
    async with serving(database, history=HalfFeed) as held:
        _begin(held)
        await held.settle()
        job = await held.ask(kind=kind, view="funnel")
        queue = Queue(database, utc_now)
        await until(lambda: queue.find(UUID(job["id"])).events > 0)
        if cancel:
            await held.client.post(f"/v1/views/jobs/{job['id']}:cancel")
            await held.ended(job["id"])
    return Queue(database, utc_now).find(UUID(job["id"]))


async def _gone_on(database: Database, id: str | None = None) -> Any:
    """What came of it in the next process, and how much that had to read for it."""
    CountingFeed.given = 0
    async with serving(database, history=CountingFeed) as served:
        _begin(served)
        job = await (served.ended(id) if id else served.worked(kind="rebuild", view="funnel"))
        checked = (await served.worked(kind="verify", view="funnel"))["result"]["equal"]
    return job, checked


async def test_a_process_that_ends_leaves_its_rebuild_to_the_next(database: Database) -> None:
    left = await _half_done(database)
    assert (left.status, 0 < left.events < EVENTS) == ("waiting", True)
    job, equal = await _gone_on(database, str(left.id))
    assert (job["status"], job["continued"], job["events"]) == ("done", left.events, EVENTS)
    assert CountingFeed.given == EVENTS - left.events + EVENTS  # and the check read everything
    assert equal


async def test_a_cancelled_rebuild_goes_on_when_it_is_asked_for_again(database: Database) -> None:
    left = await _half_done(database, cancel=True)
    assert left.status == "cancelled"
    job, equal = await _gone_on(database)
    assert job["id"] != str(left.id)
    assert (job["status"], job["continued"], job["events"]) == ("done", left.events, EVENTS)
    assert CountingFeed.given == EVENTS - left.events + EVENTS
    assert equal


@pytest.mark.parametrize("cancel", [False, True])
@pytest.mark.parametrize("kind", ["verify", "replay"])
async def test_a_check_and_a_replay_go_on_when_they_are_asked_for_again(
    sqlite: Database, kind: str, cancel: bool
) -> None:
    """Whether their process ended, which is told, or they were cancelled."""
    left = await _half_done(sqlite, kind, cancel=cancel)
    assert (left.status, left.reason) == (("cancelled", None) if cancel else ("failed", LEFT))
    CountingFeed.given = 0
    async with serving(sqlite, history=CountingFeed) as served:
        _begin(served)
        found = await served.worked(kind=kind, view="funnel")
        assert (found["status"], found["continued"]) == ("done", left.events)
        assert (CountingFeed.given, found["events"]) == (EVENTS - left.events, EVENTS)
        assert (await served.worked(kind=kind, view="funnel"))["result"] == found["result"]
    with sqlite.reading() as connection:
        statuses = connection.execute(select(GENERATIONS.c.status)).scalars().all()
    assert "scratch" not in statuses


async def test_names_are_not_left_lying_about(sqlite: Database) -> None:
    async with serving(sqlite):
        before = _tables(sqlite)
    async with serving(sqlite, history=HalfFeed) as held:
        held.log.append(lead(0), LeadTagged(tag="a"), LeadTagged(tag="b"))
        await held.settle()
        job = await held.ask(kind="rebuild", view="names")
        assert not job["kept"]
        queue = Queue(sqlite, utc_now)
        await until(lambda: queue.find(UUID(job["id"])).events > 0)
        await held.client.post(f"/v1/views/jobs/{job['id']}:cancel")
        await held.ended(job["id"])
        assert _tables(sqlite) == before


async def test_a_copy_of_the_log_that_is_named_is_read_whole(sqlite: Database) -> None:
    async with serving(sqlite) as served:
        asked = {"kind": "replay", "view": "funnel"}
        kept = [(await served.ask(**asked, origin=origin))["kept"] for origin in ("log", "stores")]
    assert kept == [True, False]


async def test_a_rebuild_that_was_killed_is_taken_by_the_next(sqlite: Database) -> None:
    """Where everything is one process, nobody waits to be sure that the other is gone."""
    queue = Queue(sqlite, utc_now)
    async with serving(sqlite, wanted=["satisfaction"]) as other:
        funnel = other.views.questions[0]
        open_live(sqlite, funnel, 0)
        create_beside(sqlite, funnel, "building", 0)
        id = queue.ask(Asked("rebuild", "funnel", 1, {}, "somebody")).id
        assert queue.take(["funnel"]) is not None
        assert queue.beat(id, Progress(7), 20)
    async with serving(sqlite) as served:
        found = await served.ended(str(id))
        assert (found["status"], found["asked_by"]) == ("done", "somebody")
    with sqlite.reading() as connection:
        statuses = connection.execute(select(GENERATIONS.c.status)).scalars().all()
    assert "building" not in statuses


@pytest.mark.parametrize(("events", "status"), [(7, "failed"), (8, "waiting")])
async def test_a_rebuild_that_gets_no_further_is_given_up(
    sqlite: Database, events: int, status: str
) -> None:
    """Lest it takes down one process after the other."""
    async with serving(sqlite, wanted=["satisfaction"]) as other:
        queue = Queue(sqlite, lambda: utc_now() - timedelta(minutes=5))
        id = queue.ask(Asked("rebuild", "satisfaction", 1, {}, "somebody")).id
        for reached in (7, events):
            assert queue.take(["satisfaction"]) is not None
            begun = queue.find(id).continued
            assert queue.beat(id, Progress(reached, begun), 20)
            other.views.worker(other.host)._clear(queue.find(id))
    assert queue.find(id).status == status


async def test_who_asks_again_follows_the_rebuild_that_is_under_way(sqlite: Database) -> None:
    async with serving(sqlite, history=HalfFeed) as held:
        _begin(held)
        await held.settle()
        first = await held.ask(kind="rebuild", view="funnel")
        again = await held.ask(kind="rebuild", view="funnel")
        other = await held.ask(kind="rebuild", view="names")
        assert (first["joined"], again["joined"], other["joined"]) == (False, True, False)
        assert again["id"] == first["id"] != other["id"]
