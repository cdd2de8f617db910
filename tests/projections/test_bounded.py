"""A feed that ends where it is told says that it has, by what lies beyond if no watermark does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from crm_events.codec import Codec
from crm_events.feed.port import Lane, LaneBatch, LanePosition
from crm_projections.engine.bounded import BoundedFeed

from tests.support.chains import event
from tests.support.fake_feed import FakeFeed, FakeLog
from tests.support.keys import KeysInMemory

LANE = Lane("contacts", 3)
BOUND = 5


class Nowhere:
    """Nothing has been taken."""

    def load(self, lanes: Sequence[Lane]) -> Mapping[Lane, LanePosition]:  # noqa: ARG002
        return {}


def shows(*batches: Sequence[int], complete_to: int = 0) -> FakeFeed:
    """A lane that holds every sequence from 1 on, and shows one batch after the other of these."""
    feed = FakeFeed(FakeLog(Codec(KeysInMemory())), Nowhere())
    offset = 0
    for sequences in batches:
        shown = [event(sequence, sequence - 1) for sequence in sequences]
        offsets = range(offset, offset + len(shown))
        offset = offsets.stop
        feed.deliveries.append(LaneBatch(LANE, shown, offset, complete_to, (), offsets))
    return feed


async def read(feed: BoundedFeed) -> list[tuple[list[int], int, int | None]]:
    """Sequences, up to where all is there, and where to read on, of each batch."""
    return [
        ([envelope.sequence for envelope in batch.envelopes], batch.complete_to, batch.next_offset)
        for batch in await feed.poll(100, 0.0)
    ]


async def test_what_lies_beyond_says_that_all_before_it_was_there() -> None:
    feed = BoundedFeed(shows([1, 2, 3], [4, 5, 6, 7], [8]), {LANE: BOUND})
    assert await read(feed) == [([1, 2, 3], 0, 3)]
    assert await read(feed) == [([4, 5], BOUND, 5)]
    assert await read(feed) == []


async def test_beyond_a_gap_nothing_is_said_and_the_missing_event_still_comes() -> None:
    """As a refused batch leaves it: 1 2 3 4 6 7 5 6 7."""
    inner = shows([1, 2, 3, 4, 6, 7], [5, 6, 7], [8])
    feed = BoundedFeed(inner, {LANE: BOUND})
    assert await read(feed) == [([1, 2, 3, 4], 0, 4)]
    assert await read(feed) == [([5], BOUND, 4)]
    assert await read(feed) == []
    await feed.extend({LANE: 8})
    assert inner.rewinds == [LANE]


@pytest.mark.parametrize(("taken", "said"), [({LANE: 4}, BOUND), ({}, 0)])
async def test_what_was_taken_before_is_before_it_too(taken: Mapping[Lane, int], said: int) -> None:
    feed = BoundedFeed(shows([5, 6]), {LANE: BOUND}, taken)
    assert await read(feed) == [([5], said, 1)]


async def test_a_lane_without_a_bound_is_left_as_it_is() -> None:
    feed = BoundedFeed(shows([1, 2, 7], complete_to=9), {})
    assert await read(feed) == [([1, 2, 7], 9, 3)]
