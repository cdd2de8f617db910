"""What of a lane's records may be taken now: repeats are dropped, and nothing is taken past a gap.

A relay that starts again repeats a suffix, and a refused batch leaves `1 2 3 4 6 7 8 5 6 7 8` in a
topic. So whatever lies ahead of a gap is held, not taken, until the missing event has come.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple
from uuid import UUID

from crm_events.envelope import Envelope
from crm_events.feed.port import LaneBatch, Unreadable


@dataclass(frozen=True, slots=True)
class Broken:
    """A record of ours that cannot be read as a whole, though its place in the lane can."""

    sequence: int
    prevsequence: int
    id: UUID
    aggregate_id: UUID
    type: str
    record: Unreadable


class Item(NamedTuple):
    """A record with its place in the lane, and its Kafka offset where there is one."""

    record: Envelope | Broken
    offset: int | None


_item: Final[Callable[[tuple[Any, ...]], Item]] = partial(tuple.__new__, Item)
"""One of a pair, made without a call of Python for every event."""


@dataclass(frozen=True, slots=True)
class Admission:
    """`taken` follow one another without a hole; `ahead` wait for what is missing before them.

    `offset` is where to read on after `taken`. `strays` have no place in the lane at all.
    """

    taken: Sequence[Item]
    ahead: Sequence[Item]
    offset: int | None
    complete_to: int
    strays: Sequence[Unreadable] = ()


def admit(batch: LaneBatch, last: int, offset: int | None, held: Sequence[Item] = ()) -> Admission:
    """Admit a batch after sequence `last` and offset `offset`, with what an earlier one left."""
    placed, strays = _placed(batch, offset)
    taken, ahead = _follow([*held, *placed], last)
    reached = taken[-1].record.sequence if taken else last
    if not ahead:
        return Admission(
            taken, (), batch.next_offset or offset, max(batch.complete_to, reached), strays
        )
    return Admission(taken, ahead, _read_on_from(taken, ahead, offset), reached, strays)


def _placed(batch: LaneBatch, offset: int | None) -> tuple[list[Item], list[Unreadable]]:
    offsets: Sequence[int | None] = batch.offsets or [None] * len(batch.envelopes)
    items = list(map(_item, zip(batch.envelopes, offsets, strict=True)))
    if not batch.unreadable:
        return items, []
    broken = {unreadable.offset: _place_of(unreadable) for unreadable in batch.unreadable}
    items += [Item(found, at) for at, found in broken.items() if found is not None]
    items.sort(key=lambda item: item.offset or 0)
    strays = [u for u in batch.unreadable if broken[u.offset] is None]
    return items, [u for u in strays if u.offset is None or u.offset >= (offset or 0)]


def _place_of(unreadable: Unreadable) -> Broken | None:
    found = {name: value for name, value in unreadable.headers if name.startswith("ce_")}
    try:
        return Broken(
            sequence=int(found["ce_sequence"]),
            prevsequence=int(found["ce_prevsequence"]),
            id=UUID(found["ce_id"].decode()),
            aggregate_id=UUID(found["ce_subject"].decode()),
            type=found["ce_type"].decode(),
            record=unreadable,
        )
    except (KeyError, ValueError):
        return None


def _follow(items: Sequence[Item], last: int) -> tuple[list[Item], list[Item]]:
    taken: list[Item] = []
    ahead: list[Item] = []
    for item in items:
        record = item.record
        if record.sequence <= last:
            continue
        if record.prevsequence == last:
            taken.append(item)
            last = record.sequence
        else:
            ahead.append(item)
    if ahead:
        return _join(taken, ahead, last)
    return taken, ahead


def _join(taken: list[Item], ahead: list[Item], last: int) -> tuple[list[Item], list[Item]]:
    """What waited follows what closed the gap; what came twice is kept once."""
    waiting: list[Item] = []
    for sequence, item in sorted({item.record.sequence: item for item in ahead}.items()):
        if item.record.prevsequence == last:
            taken.append(item)
            last = sequence
        elif sequence > last:
            waiting.append(item)
    return taken, waiting


def _read_on_from(taken: Sequence[Item], ahead: Sequence[Item], offset: int | None) -> int | None:
    """After what was taken, but never past what still waits."""
    after = taken[-1].offset if taken else None
    first_ahead = min((item.offset for item in ahead if item.offset is not None), default=None)
    if after is None or first_ahead is None:
        return offset
    return min(after + 1, first_ahead)
