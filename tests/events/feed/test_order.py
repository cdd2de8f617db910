"""Two comparisons against everything that a relay and a broker can do to the order of a lane."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from crm_events.envelope import Envelope
from crm_events.feed.order import InOrder, in_order
from hypothesis import given
from hypothesis import strategies as st

from tests.support.chains import chain


def sequences(order: InOrder) -> list[int]:
    return [envelope.sequence for envelope in order.fresh]


LANE = chain([3, 5, 6, 9, 12, 13, 20, 21])


def test_whole_lane_is_fresh() -> None:
    assert in_order(LANE, 0) == InOrder(LANE, 0, None)


def test_what_is_at_or_below_the_last_one_is_a_repeat() -> None:
    order = in_order(LANE, 9)
    assert (sequences(order), order.repeats, order.gap) == ([12, 13, 20, 21], 4, None)


def test_nothing_is_taken_past_a_missing_event() -> None:
    order = in_order([LANE[0], LANE[2], LANE[3]], 0)
    assert (sequences(order), order.repeats, order.gap) == ([3], 0, 6)


def test_missing_first_event_is_seen() -> None:
    assert in_order(LANE[1:], 0) == InOrder([], 0, 5)


def test_refused_batch_is_taken_in_order() -> None:
    eight = chain(range(1, 9))
    topic = [eight[n - 1] for n in (1, 2, 3, 4, 6, 7, 8, 5, 6, 7, 8)]
    order = in_order(topic, 0)
    assert (sequences(order), order.repeats, order.gap) == (list(range(1, 9)), 3, None)


def test_what_waited_is_taken_once_the_gap_has_closed() -> None:
    order = in_order([LANE[2], LANE[3], LANE[1]], 3)
    assert (sequences(order), order.gap) == ([5, 6, 9], None)


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Envelope], list[list[Envelope]]]:
    """A lane, and what a topic holds of it after several relays, cut into batches and re-read.

    Each relay begins at or before the first event that its topic lacks, as stored positions say,
    and the last one sends all.
    """
    steps = draw(st.lists(st.integers(1, 5), min_size=1, max_size=25))
    lane = chain([sum(steps[: n + 1]) for n in range(len(steps))])
    topic: list[Envelope] = []
    for _ in range(draw(st.integers(0, 4))):
        begins = draw(st.integers(0, _first_lack(lane, topic)))
        ends = draw(st.integers(begins, len(lane)))
        topic += [e for e in lane[begins:ends] if draw(st.booleans())]
    topic += lane[draw(st.integers(0, _first_lack(lane, topic))) :]
    return lane, _batches(draw, topic)


def _first_lack(lane: list[Envelope], topic: list[Envelope]) -> int:
    """How many of the lane the topic holds in their order: a position moves over no other."""
    held = 0
    for envelope in topic:
        if held < len(lane) and envelope is lane[held]:
            held += 1
    return held


def _batches(draw: st.DrawFn, topic: list[Envelope]) -> list[list[Envelope]]:
    """Consecutive pieces; now and then the consumer goes back and reads some again."""
    batches: list[list[Envelope]] = []
    at = 0
    while at < len(topic):
        size = draw(st.integers(1, len(topic)))
        batches.append(topic[at : at + size])
        at += size
        if len(batches) < 8 and draw(st.booleans()):
            at = draw(st.integers(0, min(at, len(topic))))
    return batches


@given(deliveries())
def test_no_interleaving_loses_or_doubles(
    delivered: tuple[list[Envelope], list[list[Envelope]]],
) -> None:
    lane, batches = delivered
    taken: list[Envelope] = []
    for batch in batches:
        order = in_order(batch, taken[-1].sequence if taken else 0)
        taken += order.fresh
        assert [e.sequence for e in taken] == [e.sequence for e in lane[: len(taken)]]
    assert taken == lane


@given(st.lists(st.sampled_from(LANE), max_size=40), st.sampled_from([0, *LANE]))
def test_whatever_comes_only_the_next_ones_are_taken(
    delivered: list[Envelope], last: Envelope | int
) -> None:
    seen_to = last if isinstance(last, int) else last.sequence
    order = in_order(delivered, seen_to)
    after = [e for e in LANE if e.sequence > seen_to]
    assert list(order.fresh) == after[: len(order.fresh)]
    missing = {e.sequence for e in delivered} - {e.sequence for e in order.fresh}
    ahead = {each for each in missing if each > (sequences(order) or [seen_to])[-1]}
    assert order.gap == min(ahead, default=None)


def test_order_is_by_sequence_alone() -> None:
    """An effective time may lie anywhere: what counts is the place in the log."""
    earlier = replace(LANE[1], occurred_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert sequences(in_order([LANE[0], earlier], 0)) == [3, 5]
