"""Reactions: another context's event in, an own command's events out, exactly once in effect.

What a reaction decides and the position it decided at commit in one transaction, so a redelivery
or a crash changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

import structlog
from eventsourcing.persistence import Tracking

from crm_events.application import ContextApplication, NotFound
from crm_events.catalogue import context_of
from crm_events.codec import Codec, Slot
from crm_events.domain import Aggregate, DomainError
from crm_events.envelope import Envelope, Origin
from crm_events.event import Event
from crm_events.feed.order import in_order
from crm_events.feed.port import Feed, Lane, LaneBatch, LanePosition
from crm_events.partitions import PARTITIONS
from crm_events.store.mapper import Cause
from crm_events.store.port import (
    AlreadyTracked,
    Beside,
    DirectoryEntry,
    EventRecorder,
    Timer,
    VersionConflict,
)

A = TypeVar("A", bound=Aggregate)
_log = structlog.get_logger("crm.reactions")
_BATCH: Final = 2_000
_POLL_SECONDS: Final = 1.0
_RETRY_SECONDS: Final = (0.05, 0.2, 1.0, 5.0)


class Session:
    """What the reactions of one batch have loaded and decided; saved together."""

    def __init__(self, app: ContextApplication) -> None:
        self.app = app
        self.at: datetime
        self.origin: Origin
        self._aggregates: dict[UUID, Aggregate] = {}
        self._directory: dict[tuple[str, UUID], DirectoryEntry] = {}
        self._timers: dict[UUID, Timer] = {}

    def load(self, kind: type[A], id: UUID) -> A:
        """The aggregate as this batch has left it. Raises NotFound, which means no effect."""
        known = self._aggregates.get(id)
        if known is None:
            known = self._aggregates[id] = self.app.load(kind, id)
        if not isinstance(known, kind):
            raise NotFound(kind.__name__, id)
        return known

    def find(self, kind: type[A], id: UUID) -> A | None:
        """The aggregate, or None where there is none yet."""
        try:
            return self.load(kind, id)
        except NotFound:
            return None

    def add(self, aggregate: Aggregate) -> None:
        """A new aggregate to be saved with the batch."""
        self._aggregates[aggregate.id] = aggregate

    def remember(self, entry: DirectoryEntry) -> None:
        """Keep what this context needs to know of somebody else's thing."""
        self._directory[entry.kind, entry.id] = entry

    def remembered(self, kind: str, id: UUID) -> DirectoryEntry | None:
        """The directory as this batch has left it."""
        fresh = self._directory.get((kind, id))
        return fresh or self.app.recorder.directory(kind, [id]).get(id)

    def schedule(self, timer: Timer) -> None:
        """Set a durable timer, saved with the batch."""
        self._timers[timer.id] = timer

    def begin(self, envelope: Envelope) -> None:
        self.at, self.origin = envelope.occurred_at, envelope.origin

    def attribute(self, cause: Cause) -> None:
        for aggregate in self._aggregates.values():
            aggregate.attribute(cause)

    def half_done(self) -> bool:
        """Whether the reaction that was just refused had decided something before."""
        return any(c.cause is None for a in self._aggregates.values() for c in a.pending)

    def decided(self) -> tuple[list[Aggregate], Beside]:
        """What changed, and what is kept beside it."""
        changed = [a for a in self._aggregates.values() if a.pending]
        directory, timers = tuple(self._directory.values()), tuple(self._timers.values())
        return changed, Beside(directory=directory, timers=timers)


Reaction = Callable[[Session, Envelope, Any], None]


@dataclass(frozen=True)
class Reactions:
    """A context's reactions on one screen. `name` is a permanent identity: its positions' key."""

    name: str
    table: Mapping[type[Event], Reaction]

    @property
    def contexts(self) -> tuple[str, ...]:
        """The contexts whose events are reacted to."""
        return tuple(sorted({context_of(event.TYPE) for event in self.table}))

    def tracking_name(self, lane: Lane) -> str:
        return f"{self.name}:{lane.context}-{lane.partition}"


class TrackedPositions:
    """Positions of reactions, kept in the context's own store by the library's tracking."""

    def __init__(self, recorder: EventRecorder, reactions: Reactions) -> None:
        self._recorder = recorder
        self._reactions = reactions

    def load(self, lanes: Sequence[Lane]) -> Mapping[Lane, LanePosition]:
        return {lane: self._position(lane) for lane in lanes}

    def _position(self, lane: Lane) -> LanePosition:
        name = self._reactions.tracking_name(lane)
        seen_to = self._recorder.max_tracking_id(name) or 0
        offset = self._recorder.max_tracking_id(f"{name}:offset")
        return LanePosition(sequence=seen_to, offset=offset, complete_to=seen_to)

    def complete_to(self, context: str) -> int:
        """The sequence of a context up to which every reaction has been saved."""
        lanes = [Lane(context, partition) for partition in range(PARTITIONS)]
        return min(position.complete_to for position in self.load(lanes).values())


class Reactor:
    """Runs a context's reactions over a feed until it is cancelled."""

    def __init__(
        self, app: ContextApplication, reactions: Reactions, codec: Codec, feed: Feed
    ) -> None:
        self._app = app
        self._reactions = reactions
        self._codec = codec
        self._feed = feed
        self._positions = TrackedPositions(app.recorder, reactions)
        self._seen: dict[Lane, LanePosition] = {}
        self._types = {event.TYPE for event in reactions.table}
        self.failing: str | None = None
        """Why the reactions do not move on, for readiness; None while they do."""

    async def run(self) -> None:
        """Follow the feed for ever; an error is retried with growing pauses, never skipped."""
        await self._feed.start()
        failures = 0
        try:
            while True:
                batches = await self._feed.poll(_BATCH, _POLL_SECONDS)
                try:
                    await self.take(batches)
                    failures, self.failing = 0, None
                except Exception as error:
                    await self._retry_later(batches, error, failures)
                    failures += 1
        finally:
            await self._feed.stop()

    async def _retry_later(
        self, batches: Sequence[LaneBatch], error: Exception, failures: int
    ) -> None:
        self.failing = f"{type(error).__name__}: {error}"
        _log.warning("reactions_held", reactions=self._reactions.name, reason=self.failing)
        await asyncio.sleep(_RETRY_SECONDS[min(failures, len(_RETRY_SECONDS) - 1)])
        for batch in batches:
            self._seen.pop(batch.lane, None)
            await self._feed.rewind(batch.lane)

    async def take(self, batches: Sequence[LaneBatch]) -> None:
        """React to the batches of one poll in one transaction, then tell the feed."""
        if not batches:
            return
        moved, gaps = await asyncio.to_thread(self._take, batches)
        await self._feed.commit(moved)
        for lane in gaps:
            _log.warning("reactions_gap", reactions=self._reactions.name, lane=str(lane))
            await self._feed.rewind(lane)

    def _take(self, batches: Sequence[LaneBatch]) -> tuple[dict[Lane, LanePosition], list[Lane]]:
        unknown = [batch.lane for batch in batches if batch.lane not in self._seen]
        self._seen.update(self._positions.load(unknown))
        fresh: list[Envelope] = []
        moved: dict[Lane, LanePosition] = {}
        gaps: list[Lane] = []
        for batch in batches:
            order = in_order(batch.envelopes, self._seen[batch.lane].complete_to)
            fresh += order.fresh
            if order.gap is not None:
                gaps.append(batch.lane)
            position = _after(batch, order.fresh, self._seen[batch.lane], order.gap)
            if position != self._seen[batch.lane]:
                moved[batch.lane] = position
        fresh.sort(key=lambda envelope: envelope.sequence)
        self._save(fresh, moved)
        self._seen.update(moved)
        return moved, gaps

    def _save(self, fresh: Sequence[Envelope], moved: Mapping[Lane, LanePosition]) -> None:
        if not moved:
            return
        relevant = [envelope for envelope in fresh if envelope.type in self._types]
        tracking = self._tracking(moved)
        for _ in range(5):
            session = self._react(relevant)
            aggregates, beside = session.decided()
            try:
                self._app.save_all(aggregates, {}, beside=replace(beside, tracking=tracking))
            except VersionConflict:
                continue
            except AlreadyTracked:
                self._seen.clear()
                raise
            return
        raise RuntimeError("reactions lost five races in a row")

    def _tracking(self, moved: Mapping[Lane, LanePosition]) -> tuple[Tracking, ...]:
        found: list[Tracking] = []
        for lane, position in moved.items():
            name = self._reactions.tracking_name(lane)
            if position.complete_to > self._seen[lane].complete_to:
                found.append(Tracking(name, position.complete_to))
            if position.offset is not None and position.offset != self._seen[lane].offset:
                found.append(Tracking(f"{name}:offset", position.offset))
        return tuple(found)

    def _react(self, envelopes: Sequence[Envelope]) -> Session:
        refused: set[UUID] = set()
        while True:
            session = Session(self._app)
            spoiler = self._react_all(session, envelopes, refused)
            if spoiler is None:
                return session
            refused.add(spoiler)

    def _react_all(
        self, session: Session, envelopes: Sequence[Envelope], refused: set[UUID]
    ) -> UUID | None:
        """Run every reaction; answers the event whose refusal came after half its decisions."""
        for envelope in envelopes:
            if envelope.id in refused:
                continue
            session.begin(envelope)
            try:
                self._react_one(session, envelope)
            except DomainError as refusal:
                _log.info("no_effect", event_id=str(envelope.id), reason=refusal.slug)
                if session.half_done():
                    return envelope.id
            session.attribute(self._cause(envelope))
        return None

    def _react_one(self, session: Session, envelope: Envelope) -> None:
        slot = Slot(envelope.type, envelope.aggregate_id, envelope.aggregate_version)
        event = self._codec.decode(envelope.data, slot)
        self._reactions.table[type(event)](session, envelope, event)

    def _cause(self, envelope: Envelope) -> Cause:
        return Cause(
            command_id=uuid5(NAMESPACE_URL, f"{self._reactions.name}/{envelope.id}"),
            correlation_id=envelope.correlation_id,
            causation_id=envelope.id,
            actor=f"reaction:{self._reactions.name}",
            origin=envelope.origin,
            at=envelope.occurred_at,
            traceparent=envelope.traceparent,
        )


def _after(
    batch: LaneBatch, fresh: Sequence[Envelope], seen: LanePosition, gap: int | None
) -> LanePosition:
    last = fresh[-1] if fresh else None
    sequence = last.sequence if last else seen.sequence
    if gap is not None:
        return LanePosition(sequence, None, seen.offset, max(sequence, seen.complete_to))
    complete_to = max(batch.complete_to, sequence, seen.complete_to)
    return LanePosition(sequence, None, batch.next_offset or seen.offset, complete_to)
