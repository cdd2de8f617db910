"""What every feed promises, over the stores' logs and over Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from crm_events.envelope import Envelope
from crm_events.feed.port import Feed, Lane, LanePosition, LogReplaced
from crm_events.partitions import PARTITIONS
from crm_events.store.port import Mark
from crm_events.store.sqlite import SqliteRecorder

from tests.events.feed.conftest import Log
from tests.events.feed.taking import Taker, turn
from tests.events.writing import Writer, thing, things_in
from tests.support.until import until


async def until_taken(taker: Taker, log: Log) -> None:
    head = log.recorder.safe_position()
    await until(lambda: taker.complete_to() >= head, 30)


async def test_every_event_is_taken_once_and_in_order(log: Log, taker: Taker) -> None:
    log.writer.spread(400)
    async with log.taken_by(taker):
        await until_taken(taker, log)
        log.writer.spread(400)
        await until_taken(taker, log)
    assert taker.taken() == log.stored()
    assert taker.gaps == []


async def test_it_goes_on_from_the_stored_position(log: Log, taker: Taker, tmp_path: Path) -> None:
    log.writer.spread(300)
    async with log.taken_by(taker):
        await until_taken(taker, log)
    log.writer.spread(300)
    again = Taker(tmp_path / "taken.db")
    async with log.taken_by(again):
        await until_taken(again, log)
    assert again.taken() == log.stored()
    assert again.repeats == 0


async def test_crash_between_reading_and_storing_loses_nothing(log: Log, taker: Taker) -> None:
    log.writer.spread(300)
    await log.settled()
    feed = log.feed(taker)
    await feed.start()
    while not await feed.poll(100, 0.2):  # read, and never stored
        pass
    await feed.stop()
    async with log.taken_by(taker):
        await until_taken(taker, log)
    assert taker.taken() == log.stored()


async def test_rewound_lane_is_read_again(log: Log, taker: Taker) -> None:
    lane = Lane("contacts", 5)
    log.writer.write(things_in(5, 40))
    await log.settled()
    feed = log.feed(taker)
    await feed.start()
    dropped = await _until_something(feed, lane)
    await feed.rewind(lane)
    seen = await _until_something(feed, lane)
    assert seen[0].sequence == dropped[0].sequence
    await feed.rewind(lane)
    while taker.count() < 40:
        await turn(feed, taker)
    await feed.stop()
    assert taker.taken() == log.stored()


async def _until_something(feed: Feed, lane: Lane) -> Sequence[Envelope]:
    async with asyncio.timeout(20):
        while True:
            for batch in await feed.poll(500, 0.2):
                if batch.lane == lane and batch.envelopes:
                    return batch.envelopes


async def test_poll_answers_no_more_than_was_asked_for(log: Log, taker: Taker) -> None:
    log.writer.spread(600)
    await log.settled()
    feed = log.feed(taker)
    await feed.start()
    while taker.count() < 600:
        batches = await turn(feed, taker, size=30)
        assert sum(len(batch.envelopes) for batch in batches) <= 30
        assert len({batch.lane for batch in batches}) == len(batches)
    await feed.stop()
    assert taker.taken() == log.stored()


async def test_one_busy_lane_does_not_starve_the_others(log: Log, taker: Taker) -> None:
    for _ in range(40):
        log.writer.write(things_in(4, 50))
    log.writer.write([thing(n) for n in range(200)])
    await log.settled()
    feed = log.feed(taker)
    await feed.start()
    while len(taker.taken()) < PARTITIONS:
        await turn(feed, taker, size=200)
        assert taker.count() <= 2_200
    await feed.stop()


async def test_idle_poll_returns_in_time(log: Log, taker: Taker) -> None:
    log.writer.spread(20)
    async with log.taken_by(taker):
        await until_taken(taker, log)
    feed = log.feed(taker)
    await feed.start()
    clock = asyncio.get_running_loop().time
    while True:
        began = clock()
        if not await feed.poll(100, 0.3) and len(feed.owned()) == PARTITIONS:
            break
    assert 0.25 < clock() - began < 5
    await feed.stop()


async def test_empty_log_is_followed_from_its_beginning(log: Log, taker: Taker) -> None:
    async with log.taken_by(taker) as feed:
        await until(lambda: len(feed.owned()) == PARTITIONS)
        log.writer.write([thing(1)])
        await until_taken(taker, log)
    assert taker.taken() == log.stored()


async def test_lag_is_what_lies_ahead(log: Log, taker: Taker) -> None:
    log.writer.spread(500)
    await log.settled()
    feed = log.feed(taker)
    await feed.start()
    while not taker.count():
        await turn(feed, taker, size=50)
    assert sum(feed.lag().values()) > 100
    assert set(feed.lag()) == feed.owned()
    while taker.complete_to() < 500:
        await turn(feed, taker)
    while sum(feed.lag().values()):
        await turn(feed, taker)
    await feed.stop()


async def test_marks_come_once_and_rise(log: Log, taker: Taker) -> None:
    feed = log.feed(taker)
    await feed.start()
    found: list[Mark] = []
    for count in (10, 20):
        log.writer.spread(count)
        await log.settled()
        await log.marked()
        head = log.recorder.safe_position()
        async with asyncio.timeout(20):
            while not found or found[-1].safe_to < head:
                found += (await feed.marks()).get("contacts", ())
                await feed.poll(100, 0.05)
    await feed.stop()
    assert found == sorted(found, key=lambda mark: mark.at)
    assert len({mark.at for mark in found}) == len(found)
    assert {mark.safe_to for mark in found} >= {30}


async def test_it_may_be_started_again(log: Log, taker: Taker) -> None:
    feed = log.feed(taker)
    log.writer.spread(100)
    await log.settled()
    for _ in range(2):
        await feed.start()
        await turn(feed, taker, size=20)
        await feed.stop()
        await feed.stop()
    await feed.start()
    while taker.count() < 100:
        await turn(feed, taker)
    await feed.stop()
    assert taker.taken() == log.stored()


async def test_store_restored_to_an_earlier_day_is_refused(
    log: Log, taker: Taker, tmp_path: Path
) -> None:
    """It gives its old positions to new events: a view that went on would miss them."""
    log.writer.spread(200)
    async with log.taken_by(taker):
        await until_taken(taker, log)
    restored = SqliteRecorder(tmp_path / "restored.db")
    Writer(restored).spread(300)
    await log.replace(restored)
    await log.settled()
    feed = log.feed(taker)
    with pytest.raises(LogReplaced, match="restored to an earlier state"):
        await _polled_for_ever(feed)
    await feed.stop()
    assert taker.count() == 200


async def test_unreachable_positions_are_an_error_that_loses_nothing(
    log: Log, taker: Taker
) -> None:
    log.writer.spread(100)
    await log.settled()
    positions = _Unreachable(taker)
    feed = log.feed(positions)
    with pytest.raises(ConnectionError):
        await _polled_for_ever(feed)
    positions.reachable = True
    await feed.stop()
    await feed.start()
    while taker.count() < 100:
        await turn(feed, taker)
    await feed.stop()
    assert taker.taken() == log.stored()


async def _polled_for_ever(feed: Feed) -> None:
    async with asyncio.timeout(30):
        await feed.start()
        while True:
            await feed.poll(500, 0.2)


class _Unreachable:
    """Positions in a database that is away at first."""

    def __init__(self, taker: Taker) -> None:
        self.reachable = False
        self._taker = taker

    def load(self, lanes: Sequence[Lane]) -> Mapping[Lane, LanePosition]:
        if not self.reachable:
            raise ConnectionError
        return self._taker.load(lanes)
