"""An event has its effect once, whatever is delivered again and whoever dies."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from uuid import UUID

import pytest
from crm_events.contracts.pipeline import OrderPlaced
from crm_events.envelope import Envelope
from crm_events.feed.port import Lane, LanePosition
from crm_events.feed.reactor import Session
from crm_events.feed.store import StoreFeed
from crm_events.feed.tracked import Tracked
from crm_events.store.mapper import Cause
from crm_events.store.port import AlreadyTracked

from tests.events.reactor.conftest import Tiny, running
from tests.events.reactor.tiny import Buyer, order, reactions, tag_buyer
from tests.events.writing import thing
from tests.support.decisions import NOW
from tests.support.until import until

BUYERS = [thing(n) for n in range(30)]
CAUSE = Cause(thing(1), thing(1), None, "local:rival", "live", NOW)


def buy(tiny: Tiny, first: int, last: int) -> None:
    """Orders number `first` to `last`, each of the next buyer, at a price of its own."""
    for number in range(first, last + 1):
        tiny.upstream.tell(order(BUYERS[number % len(BUYERS)], number % 100))


def expected(orders: int) -> dict[UUID, list[str]]:
    tags: dict[UUID, list[str]] = defaultdict(list)
    for number in range(1, orders + 1):
        tags[BUYERS[number % len(BUYERS)]].append(str(number % 100))
    return dict(tags)


def same(tiny: Tiny, orders: int) -> None:
    """Orders of one buyer lie in different lanes, so their order is free between those."""
    found = tiny.app.tags()
    assert {k: sorted(v) for k, v in found.items()} == {
        k: sorted(v) for k, v in expected(orders).items()
    }


async def test_every_event_is_reacted_to_once(tiny: Tiny) -> None:
    buy(tiny, 1, 60)
    async with running(tiny.reactor()) as reactor:
        await tiny.caught_up()
        buy(tiny, 61, 120)
        await tiny.caught_up()
        assert reactor.failing is None
    same(tiny, 120)
    assert reactor.reacted == 120


async def test_redelivery_changes_nothing(tiny: Tiny) -> None:
    buy(tiny, 1, 120)
    reactor = await tiny.react()
    head = tiny.app.recorder.safe_position()
    await tiny.redeliver(reactor)
    await tiny.redeliver(tiny.reactor())
    assert tiny.app.recorder.safe_position() == head
    same(tiny, 120)


class _Dying(StoreFeed):
    """The process dies when it would tell the log what it has saved."""

    async def commit(self, lanes: Mapping[Lane, LanePosition]) -> None:
        raise KeyboardInterrupt(lanes)


async def test_crash_after_saving_repeats_nothing(tiny: Tiny) -> None:
    buy(tiny, 1, 60)
    recorder = tiny.upstream.recorder
    reactor = tiny.reactor(make_feed=lambda positions: _Dying({"pipeline": recorder}, positions))
    feed = tiny.feed(tiny.positions())
    await feed.start()
    with pytest.raises(KeyboardInterrupt):
        await reactor.take(await feed.poll(20, 1))
    buy(tiny, 61, 120)
    await tiny.react()
    same(tiny, 120)


async def test_crash_before_saving_loses_nothing(tiny: Tiny) -> None:
    buy(tiny, 1, 60)
    feed = tiny.feed(tiny.positions())
    await feed.start()
    assert await feed.poll(20, 1)  # read, and gone with the process
    await tiny.react()
    same(tiny, 60)


async def test_lost_race_is_decided_again(tiny: Tiny) -> None:
    """A command changes the buyer while the reaction decides: both are there in the end."""
    raced: list[UUID] = []

    def react(session: Session, envelope: Envelope, event: OrderPlaced) -> None:
        tag_buyer(session, envelope, event)
        if not raced:
            raced.append(event.customer_id)
            rival = Buyer(event.customer_id)
            rival.tag("rival", at=NOW)
            tiny.app.save_all([rival], CAUSE)

    buy(tiny, 1, 40)
    await tiny.react(reactions(react))
    tags = tiny.app.tags()
    assert tags[raced[0]][0] == "rival"
    assert sum(map(len, tags.values())) == 41


async def test_two_reactors_never_double(tiny: Tiny) -> None:
    writing = asyncio.create_task(asyncio.to_thread(buy, tiny, 1, 400))
    async with running(tiny.reactor()), running(tiny.reactor()):
        await writing
        await tiny.caught_up()
    same(tiny, 400)


async def test_zombie_that_comes_late_is_fenced(tiny: Tiny) -> None:
    """It read its positions before somebody else took its lanes over, and went on."""
    buy(tiny, 1, 40)
    zombie, feed = tiny.reactor(), tiny.feed(tiny.positions())
    await feed.start()
    await zombie.take(await feed.poll(10, 1))
    held = await feed.poll(20, 1)
    await tiny.react()
    head = tiny.app.recorder.safe_position()
    await zombie.take(held)
    assert tiny.app.recorder.safe_position() == head
    same(tiny, 40)


async def test_position_moves_from_the_one_before_it_alone(tiny: Tiny) -> None:
    """Reaching further is not enough: what lies between may have been somebody else's."""
    buy(tiny, 1, 40)
    await tiny.react()
    positions = tiny.positions()
    lane = next(lane for lane in tiny.feed(positions).owned() if lane.partition == 3)
    now = positions.tracked([lane])[lane]
    further = LanePosition(1_000, None, None, 1_000)
    with pytest.raises(AlreadyTracked):
        tiny.app.save_all((), {}, beside=positions.moved({lane: Tracked(further, now.revision)}))
    tiny.app.save_all((), {}, beside=positions.moved({lane: Tracked(further, now.revision + 1)}))
    assert positions.load([lane]) == {lane: further}


async def test_reaction_that_is_stopped_leaves_nothing_running(tiny: Tiny) -> None:
    loop, tasks = asyncio.get_running_loop(), asyncio.all_tasks()
    buy(tiny, 1, 40)
    await tiny.react()
    await until(lambda: asyncio.all_tasks(loop) <= tasks)
