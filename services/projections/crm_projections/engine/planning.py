"""What a batch means for one view, decided before any transaction: apply, park, pass or stop."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from crm_events.catalogue import UnknownEventType
from crm_events.codec import UndecodableEvent
from crm_events.contracts.contacts import SubjectErased
from crm_events.envelope import Envelope
from crm_events.feed.port import Lane

from crm_projections.engine.admission import Admission, Broken, Item
from crm_projections.engine.decoding import Decoder, Interest, reason_of
from crm_projections.engine.digest import digest_of
from crm_projections.engine.letters import Letter
from crm_projections.engine.position import LaneState, Step
from crm_projections.engine.view import Received, received

_AT_ONCE: Final = frozenset((SubjectErased.TYPE,))
"""An erasure waits behind no parked event: what it blanks could be read until that is mended."""


@dataclass(slots=True)
class Plan:
    """One transaction's worth of work. `stop` says why nothing may follow it."""

    steps: list[Step] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    stop: str | None = None

    def __bool__(self) -> bool:
        return bool(self.steps or self.letters)


@dataclass(slots=True)
class _Tally:
    applied: int = 0
    parked: int = 0
    skipped: int = 0


class Planner:
    """Plans one transaction. `parked` are aggregates whose events wait; `left_out` are events that
    somebody decided to skip; both by number."""

    def __init__(
        self,
        interest: Interest,
        decoder: Decoder,
        parked: AbstractSet[int],
        left_out: AbstractSet[int],
    ) -> None:
        self._interest = interest
        self._decoder = decoder
        self._blocked = set(parked)
        self._left_out = left_out
        self.plan = Plan()

    def add(self, lane: Lane, before: LaneState, admission: Admission, now: int) -> None:
        """Plan what was admitted of one lane; does nothing once the plan stops."""
        if self.plan.stop is not None:
            return
        tally = _Tally()
        count = self._sort(lane, admission.taken, tally)
        for stray in admission.strays:
            self.plan.letters.append(Letter(lane, stray, "unreadable", stray.reason))
        after = _after(before, admission, count, tally, now)
        if after is not None:
            self.plan.steps.append(Step(lane, before, after))

    def _sort(self, lane: Lane, items: Sequence[Item], tally: _Tally) -> int:
        """Answers how many of the items can be taken."""
        if self._interest.sealed:
            self._prepare(items)
        left_out, interest = self._left_out, self._interest.wanted
        for index, (record, _) in enumerate(items):
            wanted = interest.get(record.type)
            if wanted is None:
                self._stop(lane, record, UnknownEventType(record.type))
                return index
            if not wanted or (left_out and record.id.int in left_out):
                tally.skipped += 1
            elif self._received(lane, record):
                tally.applied += 1
            else:
                tally.parked += 1
        return len(items)

    def _prepare(self, items: Sequence[Item]) -> None:
        sealed = self._interest.sealed
        self._decoder.prepare(
            record
            for record, _ in items
            if record.type in sealed and not isinstance(record, Broken)
        )

    def _received(self, lane: Lane, record: Envelope | Broken) -> bool:
        blocked = self._blocked and record.aggregate_id.int in self._blocked
        if blocked and record.type not in _AT_ONCE:
            self.plan.letters.append(Letter(lane, record, "behind", "waits behind a parked event"))
            return False
        if isinstance(record, Broken):
            self._fail(Letter(lane, record, "unreadable", record.record.reason))
            return False
        try:
            event = self._decoder.decode(record)
        except UndecodableEvent as error:
            self._fail(Letter(lane, record, "failed", reason_of(error, record.type)))
            return False
        self.plan.received.append(received((record, event)))
        return True

    def _fail(self, letter: Letter) -> None:
        self.plan.letters.append(letter)
        if letter.aggregate_id is not None:
            self._blocked.add(letter.aggregate_id.int)

    def _stop(self, lane: Lane, record: Envelope | Broken, error: UnknownEventType) -> None:
        place = f"{lane.context}/{lane.partition}/{record.sequence}"
        self.plan.stop = f"Stopped before {place}: {error}"


def _after(
    before: LaneState, admission: Admission, count: int, tally: _Tally, now: int
) -> LaneState | None:
    """The lane's row after the first `count` items; None where nothing moves."""
    items = admission.taken[:count]
    whole = count == len(admission.taken)
    last = items[-1] if items else None
    sequence = last.record.sequence if last else before.sequence
    reached = admission.complete_to if whole else sequence
    offset = admission.offset if whole else _offset_after(last, before)
    complete_to = max(before.complete_to, reached)
    if not items and complete_to == before.complete_to and offset == before.offset:
        return None
    return LaneState(
        sequence=sequence,
        event_id=last.record.id if last else before.event_id,
        offset=offset,
        complete_to=complete_to,
        digest=digest_of([record.id for record, _ in items], before.digest),
        applied=before.applied + tally.applied,
        parked=before.parked + tally.parked,
        skipped=before.skipped + tally.skipped,
        revision=before.revision + 1,
        moved_at=now,
    )


def _offset_after(last: Item | None, before: LaneState) -> int | None:
    if last is None or last.offset is None:
        return before.offset
    return last.offset + 1
