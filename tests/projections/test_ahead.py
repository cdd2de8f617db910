"""Reading on while a batch is applied: what comes early changes when, never what."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from crm_events.contracts.contacts import LeadTagged
from crm_events.feed.port import Lane, LaneBatch, LogReplaced
from crm_projections.engine.ahead import ReadAhead
from crm_projections.engine.runner import LowestPositions, Pace, Runner

from tests.projections.rig import Rig, lead_in
from tests.support.fake_feed import FakeFeed
from tests.support.until import until

ONE, OTHER = Lane("contacts", 1), Lane("contacts", 2)
PAGE = 2


class Paged(FakeFeed):
    """Tells how often it was asked, and may fail when it is asked next."""

    asked = 0
    fails: Exception | None = None

    async def poll(self, max_events: int, timeout: float) -> Sequence[LaneBatch]:
        self.asked += 1
        if self.fails is not None:
            raise self.fails
        return await super().poll(max_events, timeout)


@asynccontextmanager
async def reading(rig: Rig) -> AsyncIterator[tuple[ReadAhead, Paged]]:
    inner = Paged(rig.log, LowestPositions([]))
    feed = ReadAhead(inner)
    await feed.start()
    yield feed, inner
    await feed.stop()


def tags(count: int) -> list[LeadTagged]:
    return [LeadTagged(tag=f"tag {number}") for number in range(count)]


def sequences(batches: Sequence[LaneBatch]) -> list[int]:
    return sorted(e.sequence for batch in batches for e in batch.envelopes)


async def asked(inner: Paged, times: int) -> None:
    await until(lambda: inner.asked >= times)


async def test_a_full_page_is_followed_before_anybody_asks(light_rig: Rig) -> None:
    light_rig.log.append(lead_in(ONE), *tags(5))
    async with reading(light_rig) as (feed, inner):
        assert sequences(await feed.poll(PAGE, 1.0)) == [1, 2]
        await asked(inner, 2)
        assert sequences(await feed.poll(PAGE, 1.0)) == [3, 4]
        assert sequences(await feed.poll(PAGE, 1.0)) == [5]


async def test_what_follows_is_not_looked_for_after_the_last_page(light_rig: Rig) -> None:
    light_rig.log.append(lead_in(ONE), *tags(1))
    async with reading(light_rig) as (feed, inner):
        assert sequences(await feed.poll(PAGE, 1.0)) == [1]
        await feed.marks()
        assert inner.asked == 1


async def test_what_was_read_ahead_still_lies_ahead(light_rig: Rig) -> None:
    light_rig.log.append(lead_in(ONE), *tags(4))
    async with reading(light_rig) as (feed, inner):
        await feed.poll(PAGE, 1.0)
        await feed.commit({})
        assert inner.lag()[ONE] == 0
        assert feed.lag()[ONE] == 2


async def test_a_lane_that_is_rewound_comes_from_its_position_again(light_rig: Rig) -> None:
    light_rig.log.append(lead_in(ONE), *tags(4))
    light_rig.log.append(lead_in(OTHER), *tags(4))
    async with reading(light_rig) as (feed, inner):
        assert sequences(await feed.poll(PAGE, 1.0)) == [1, 2, 5, 6]
        await asked(inner, 2)
        await feed.rewind(ONE)
        assert sequences(await feed.poll(PAGE, 1.0)) == [7, 8]  # of the other lane alone
        assert sequences(await feed.poll(PAGE, 1.0)) == [1, 2]


async def test_lanes_that_were_lost_meanwhile_are_left_out(light_rig: Rig) -> None:
    light_rig.log.append(lead_in(ONE), *tags(4))
    async with reading(light_rig) as (feed, inner):
        await feed.poll(PAGE, 1.0)
        await asked(inner, 2)
        inner.lost_lanes.add(ONE)
        assert sequences(await feed.poll(PAGE, 0.0)) == []


async def test_what_goes_wrong_ahead_is_heard(light_rig: Rig) -> None:
    light_rig.log.append(lead_in(ONE), *tags(4))
    async with reading(light_rig) as (feed, inner):
        await feed.poll(PAGE, 1.0)
        inner.fails = LogReplaced("another log")
        with pytest.raises(LogReplaced):
            await feed.poll(PAGE, 1.0)


async def test_two_runners_that_read_ahead_take_each_event_once(rig: Rig) -> None:
    processes = [await rig.start(), await rig.start()]
    view = processes[0].views[0]
    for number in range(60):
        rig.tag(number, "a", "b", "c", "d")
    runners = [
        Runner(p.runner.projections, rig.workplace(), rig.make_feed, rig.bell, Pace(1, 0.01))
        for p in processes
    ]
    tasks = [asyncio.create_task(runner.run()) for runner in runners]
    try:
        await until(lambda: rig.seen(view) == 240, 60)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert len(rig.rows(view)) == rig.seen(view) == 240
    assert not rig.parked()
