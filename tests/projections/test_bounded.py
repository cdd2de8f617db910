"""A feed that ends where it is told says that it has, by what lies beyond if no watermark does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID, uuid5

import pytest
from crm_events.clock import utc_now
from crm_events.envelope import Envelope
from crm_events.feed.port import Lane, LaneBatch, LanePosition
from crm_events.store.port import Mark
from crm_projections.engine.bounded import BoundedFeed

LANE = Lane("contacts", 3)
_IDS = UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")
BOUND = 5


class Shows:
    """One batch after the other, of these sequences; what was said to be complete stays behind."""

    def __init__(self, *batches: Sequence[int], complete_to: int = 0) -> None:
        self._batches = list(batches)
        self._complete_to = complete_to
        self._offset = 0
        self.rewound: list[Lane] = []

    async def start(self) -> None: ...

    async def poll(self, max_events: int, timeout: float) -> Sequence[LaneBatch]:  # noqa: ARG002
        shown = [event(sequence) for sequence in self._batches.pop(0)]
        offsets = list(range(self._offset, self._offset + len(shown)))
        self._offset += len(shown)
        return [LaneBatch(LANE, shown, self._offset, self._complete_to, (), offsets)]

    async def rewind(self, lane: Lane) -> None:
        self.rewound.append(lane)

    async def commit(self, lanes: Mapping[Lane, LanePosition]) -> None: ...

    async def marks(self) -> Mapping[str, Sequence[Mark]]:
        return {}

    def lag(self) -> Mapping[Lane, int]:
        return {}

    def owned(self) -> frozenset[Lane]:
        return frozenset({LANE})

    async def stop(self) -> None: ...


def event(sequence: int) -> Envelope:
    """The lane holds every sequence from 1 on."""
    return Envelope(
        id=uuid5(_IDS, str(sequence)),
        type="crm.contacts.LeadTagged.v1",
        aggregate_id=_IDS,
        aggregate_version=sequence,
        sequence=sequence,
        prevsequence=sequence - 1,
        partition=LANE.partition,
        recorded_at=utc_now(),
        occurred_at=utc_now(),
        correlation_id=_IDS,
        causation_id=None,
        command_id=_IDS,
        actor="user:test",
        origin="live",
        supersedes=None,
        traceparent=None,
        data=b"{}",
    )


async def read(feed: BoundedFeed) -> list[tuple[list[int], int, int | None]]:
    """Sequences, up to where all is there, and where to read on, of each batch."""
    return [
        ([envelope.sequence for envelope in batch.envelopes], batch.complete_to, batch.next_offset)
        for batch in await feed.poll(100, 0.0)
    ]


async def test_what_lies_beyond_says_that_all_before_it_was_there() -> None:
    feed = BoundedFeed(Shows([1, 2, 3], [4, 5, 6, 7], [8]), {LANE: BOUND})
    assert await read(feed) == [([1, 2, 3], 0, 3)]
    assert await read(feed) == [([4, 5], BOUND, 5)]
    assert await read(feed) == []


async def test_beyond_a_gap_nothing_is_said_and_the_missing_event_still_comes() -> None:
    """As a refused batch leaves it: 1 2 3 4 6 7 5 6 7."""
    inner = Shows([1, 2, 3, 4, 6, 7], [5, 6, 7], [8])
    feed = BoundedFeed(inner, {LANE: BOUND})
    assert await read(feed) == [([1, 2, 3, 4], 0, 4)]
    assert await read(feed) == [([5], BOUND, 4)]
    assert await read(feed) == []
    await feed.extend({LANE: 8})
    assert inner.rewound == [LANE]


@pytest.mark.parametrize(("taken", "said"), [({LANE: 4}, BOUND), ({}, 0)])
async def test_what_was_taken_before_is_before_it_too(taken: Mapping[Lane, int], said: int) -> None:
    feed = BoundedFeed(Shows([5, 6]), {LANE: BOUND}, taken)
    assert await read(feed) == [([5], said, 1)]


async def test_a_lane_without_a_bound_is_left_as_it_is() -> None:
    feed = BoundedFeed(Shows([1, 2, 7], complete_to=9), {})
    assert await read(feed) == [([1, 2, 7], 9, 3)]
