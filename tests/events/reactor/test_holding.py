"""An event that cannot be reacted to stops its lane and is told; the other lanes go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import pytest
from crm_events.contracts.pipeline import OrderPlaced
from crm_events.envelope import Envelope
from crm_events.feed.port import LaneBatch
from crm_events.feed.reactor import Session
from crm_events.feed.store import StoreFeed
from crm_events.partitions import partition_of
from crm_events.store.port import EventRecorder, StoreUnavailable
from crm_events.store.sqlite import SqliteRecorder
from eventsourcing.persistence import StoredEvent

from tests.events.reactor.conftest import Tiny, running
from tests.events.reactor.tiny import order, reactions, tag_buyer
from tests.events.store.building import append, event
from tests.events.writing import thing, things_in
from tests.support.until import until

HELD = 4
"""The partition with the event that fails."""


async def tags_are(tiny: Tiny, expected: dict[UUID, list[str]]) -> None:
    def holds() -> bool:
        return {k: sorted(v) for k, v in tiny.app.tags().items()} == expected

    try:
        await until(holds, 20)
    except TimeoutError:
        assert tiny.app.tags() == expected


def tell_around(tiny: Tiny) -> list[UUID]:
    """An order in each of two lanes before and after; answers those in the lane to be held."""
    ids = things_in(HELD, 2)
    assert partition_of(thing(1)) != HELD
    tiny.upstream.tell(order(thing(1), 1), of=ids[0])
    return ids


async def test_bytes_that_cannot_be_decoded_hold_their_lane(tiny: Tiny) -> None:
    first, broken = tell_around(tiny)
    append(tiny.upstream.recorder, [event(broken, 1, b"{", type=OrderPlaced.TYPE)])
    tiny.upstream.tell(order(thing(2), 2), of=first)
    async with running(tiny.reactor()) as reactor:
        await until(lambda: bool(reactor.held))
        tiny.upstream.tell(order(thing(3), 3), of=thing(1))
        await tags_are(tiny, {thing(1): ["1"], thing(3): ["3"]})
        assert "UndecodableEvent at pipeline/4/2" in (reactor.failing or "")
        assert "crm.pipeline.OrderPlaced.v1" in (reactor.failing or "")
    assert tiny.positions().complete_to("pipeline") == 1


async def test_unknown_version_holds_its_lane(tiny: Tiny) -> None:
    """The producer is newer: what it means may not be skipped."""
    first, newer = tell_around(tiny)
    append(tiny.upstream.recorder, [event(newer, 1, type="crm.pipeline.OrderPlaced.v9")])
    tiny.upstream.tell(order(thing(2), 2), of=first)
    async with running(tiny.reactor()) as reactor:
        await until(lambda: bool(reactor.held))
        assert "UnknownEventType" in (reactor.failing or "")
        await tags_are(tiny, {thing(1): ["1"]})


async def test_known_type_that_nobody_reacts_to_is_passed_over(tiny: Tiny) -> None:
    append(tiny.upstream.recorder, [event(thing(5), 1, b"{", type="crm.pipeline.DealLost.v1")])
    tiny.upstream.tell(order(thing(2), 2))
    reactor = await tiny.react()
    assert reactor.failing is None
    assert tiny.app.tags() == {thing(2): ["2"]}


async def test_lane_goes_on_in_order_when_the_reason_is_gone(tiny: Tiny) -> None:
    broken = True

    def react(session: Session, envelope: Envelope, found: OrderPlaced) -> None:
        if broken and found.total.amount == 2:
            raise ZeroDivisionError
        tag_buyer(session, envelope, found)

    for amount in range(1, 6):
        tiny.upstream.tell(order(thing(1), amount), of=thing(7))
    async with running(tiny.reactor(reactions(react))) as reactor:
        await until(lambda: bool(reactor.held))
        await tags_are(tiny, {thing(1): ["1"]})
        broken = False
        await tiny.caught_up()
        await until(lambda: reactor.failing is None)
    assert tiny.app.tags() == {thing(1): ["1", "2", "3", "4", "5"]}


async def test_held_lane_is_held_again_after_a_restart(tiny: Tiny) -> None:
    first, broken = tell_around(tiny)
    append(tiny.upstream.recorder, [event(broken, 1, b"{", type=OrderPlaced.TYPE)])
    tiny.upstream.tell(order(thing(2), 2), of=first)
    for _ in range(2):
        async with running(tiny.reactor()) as reactor:
            await until(lambda: bool(reactor.held))
            await tags_are(tiny, {thing(1): ["1"]})


class _Flaky(SqliteRecorder):
    """A store that is away for a while, or that cannot read some streams."""

    away = False
    reads = 0
    unwritable: UUID | None = None

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        if self.away:
            raise StoreUnavailable("away")
        if self.unwritable in {stored.originator_id for stored in stored_events}:
            raise ArithmeticError
        return super().insert_events(stored_events, **kwargs)

    def select_streams(self, ids: Any) -> Any:
        self.reads += 1
        return super().select_streams(ids)


@pytest.fixture
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Flaky]:
    recorder = _Flaky(tmp_path_factory.mktemp("own") / "tiny.db")
    yield recorder
    recorder.close()


async def test_store_that_is_away_is_waited_for(tiny: Tiny, own: _Flaky) -> None:
    for number in range(20):
        tiny.upstream.tell(order(thing(number), 1))
    own.away = True
    async with running(tiny.reactor()) as reactor:
        await until(lambda: reactor.failing is not None)
        assert "StoreUnavailable" in (reactor.failing or "")
        assert not reactor.held
        own.away = False
        await tiny.caught_up()
        await until(lambda: reactor.failing is None)
    assert tiny.app.tags() == {thing(number): ["1"] for number in range(20)}


async def test_event_that_fails_only_when_saved_is_found_among_the_others(
    tiny: Tiny, own: _Flaky
) -> None:
    own.unwritable = thing(5)
    lane = partition_of(thing(7))
    for number in range(1, 10):
        of = thing(7) if number == 5 else things_in((lane + 1) % 12)[0]
        tiny.upstream.tell(order(thing(number), 1), of=of)
    async with running(tiny.reactor()) as reactor:
        await until(lambda: bool(reactor.held))
        assert [held.partition for held in reactor.held] == [lane]
        await tags_are(tiny, {thing(n): ["1"] for n in range(1, 10) if n != 5})
        own.unwritable = None
        await tiny.caught_up()
    assert tiny.app.tags() == {thing(number): ["1"] for number in range(1, 10)}


async def test_prefetch_reads_a_batch_at_once(tiny: Tiny, own: _Flaky) -> None:
    table = reactions(prefetch=lambda _, found: [found.customer_id])
    for number in range(100):
        tiny.upstream.tell(order(thing(number % 50), number))
    feed = tiny.feed(tiny.positions(table))
    reactor = tiny.reactor(table)
    await feed.start()
    await reactor.take(await feed.poll(1_000, 1))
    assert own.reads == 1
    assert sum(map(len, tiny.app.tags().values())) == 100


class _Losing(StoreFeed):
    """One record is lost on its way, the first time it is read."""

    lost: Envelope | None = None

    async def poll(self, max_events: int, timeout: float) -> Sequence[LaneBatch]:
        batches = await super().poll(max_events, timeout)
        return [self._without(batch) for batch in batches]

    def _without(self, batch: LaneBatch) -> LaneBatch:
        if self.lost is not None or len(batch.envelopes) < 3:
            return batch
        self.lost = batch.envelopes[1]
        kept = [e for e in batch.envelopes if e is not self.lost]
        return LaneBatch(batch.lane, kept, batch.next_offset, batch.complete_to)


async def test_gap_is_told_waited_for_and_read_again(tiny: Tiny) -> None:
    for amount in range(1, 8):
        tiny.upstream.tell(order(thing(1), amount), of=thing(7))
    recorder: EventRecorder = tiny.upstream.recorder
    lossy = tiny.reactor(make_feed=lambda positions: _Losing({"pipeline": recorder}, positions))
    async with running(lossy) as reactor:
        await until(lambda: bool(reactor.gaps))
        assert "what comes before 3 is missing" in (reactor.failing or "")
        await tags_are(tiny, {thing(1): ["1"]})
        await tiny.caught_up()
        await until(lambda: reactor.failing is None)
    assert tiny.app.tags() == {thing(1): [str(amount) for amount in range(1, 8)]}
