"""Reactions: another context's event in, an own command's events out, exactly once in effect.

What reactions decide and the positions they decided at commit in one transaction, so a redelivery
or a crash changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import structlog

from crm_events.application import ContextApplication
from crm_events.codec import Codec
from crm_events.crashing import crash_point
from crm_events.envelope import Envelope
from crm_events.feed.deciding import REFUSED, TRANSIENT, Decider, lane_of
from crm_events.feed.order import in_order
from crm_events.feed.port import Feed, Lane, LaneBatch, LanePosition
from crm_events.feed.portion import Portion, after_batch
from crm_events.feed.session import Reaction, Reactions, Session
from crm_events.feed.tracked import Tracked, TrackedPositions
from crm_events.feed.troubles import Troubles
from crm_events.feed.waiting import Backoff
from crm_events.store.port import AlreadyTracked, VersionConflict

__all__ = ["Reaction", "Reactions", "Reactor", "Session", "TrackedPositions"]

_log = structlog.get_logger("crm.reactions")
_BATCH: Final = 2_000
_POLL_SECONDS: Final = 0.5
_RACES: Final = 5


class RacesLost(Exception):
    """Somebody else changed the same things again and again; the batch is tried again later."""


class Reactor:
    """Runs a context's reactions over a feed until it is cancelled.

    An event that cannot be decoded or reacted to holds its lane: it is tried again with growing
    pauses, `failing` says so, and the other lanes go on.
    """

    def __init__(
        self, app: ContextApplication, reactions: Reactions, codec: Codec, feed: Feed
    ) -> None:
        self._app = app
        self._name = reactions.name
        self._feed = feed
        self._decider = Decider(app, reactions, codec)
        self._positions = TrackedPositions(app.recorder, reactions)
        self._seen: dict[Lane, Tracked] = {}
        self._troubles = Troubles(reactions.name)
        self._trouble: str | None = None
        self.reacted = 0
        """Events of the table's types whose outcome has been saved, with effect or without."""

    @property
    def held(self) -> Mapping[Lane, str]:
        """Lanes that stand still at an event that failed, and why."""
        return self._troubles.held.reasons

    @property
    def gaps(self) -> Mapping[Lane, str]:
        """Lanes in which an event is missing."""
        return self._troubles.gaps.reasons

    @property
    def without_effect(self) -> int:
        """Reactions that were refused."""
        return self._decider.without_effect

    @property
    def failing(self) -> str | None:
        """Why the reactions do not move on, for readiness; None while they do."""
        return self._trouble or self._troubles.reason()

    # --- following ---

    async def run(self) -> None:
        """Follow the feed for ever; a feed that fails is started again after a pause."""
        backoff = Backoff(0.1, 10.0)
        while True:
            try:
                await self._feed.start()
                await self._follow(backoff)
            except Exception as error:  # noqa: BLE001 (told, shown by `failing`, tried again)
                self._tell("feed_failed", error)
            finally:
                await self._feed.stop()
            self._seen.clear()
            await asyncio.sleep(backoff.next())

    async def _follow(self, backoff: Backoff) -> None:
        while True:
            batches = await self._feed.poll(_BATCH, _POLL_SECONDS)
            await self._take_in_the_end(batches)
            self._trouble = None
            backoff.reset()
            await self._look_after_lanes()

    async def _take_in_the_end(self, batches: Sequence[LaneBatch]) -> None:
        """What the store refuses now is tried again; whoever else took it meanwhile is heeded."""
        backoff = Backoff(0.05, 5.0)
        while True:
            try:
                await self.take(batches)
                return
            except Exception as error:  # noqa: BLE001 (told, shown by `failing`, tried again)
                self._tell("reactions_wait", error)
                self._seen.clear()
            await asyncio.sleep(backoff.next())

    def _tell(self, what: str, error: Exception) -> None:
        self._trouble = f"{type(error).__name__}: reactions wait"
        _log.warning(what, consumer=self._name, reason=type(error).__name__, exc_info=error)

    async def _look_after_lanes(self) -> None:
        """Try what failed again, and read again where something is missing."""
        now, owned = asyncio.get_running_loop().time(), self._feed.owned()
        self._troubles.keep_only(owned)
        for lane in self._troubles.held.due(now):
            if await asyncio.to_thread(self._works, self._troubles.failed_at[lane]):
                self._troubles.held.release(lane)
                await self._read_again(lane)
        for lane in self._troubles.gaps.due(now):
            self._troubles.gaps.release(lane)
            await self._read_again(lane)

    async def _read_again(self, lane: Lane) -> None:
        self._seen.pop(lane, None)
        await self._feed.rewind(lane)

    def _works(self, envelope: Envelope) -> bool:
        try:
            return not self._decider.decide([envelope]).failed
        except TRANSIENT:
            return False

    # --- taking ---

    async def take(self, batches: Sequence[LaneBatch]) -> None:
        """React to the batches of one poll, then tell the feed. Raises the TRANSIENT errors,
        AlreadyTracked when another process keeps taking the same, and RacesLost."""
        if batches:
            now = asyncio.get_running_loop().time()
            await asyncio.to_thread(self._take, batches, now)
            crash_point("reacted")
            lanes = [batch.lane for batch in batches]
            await self._feed.commit({lane: self._seen[lane].position for lane in lanes})

    def _take(self, batches: Sequence[LaneBatch], now: float) -> None:
        for attempt in range(1, _RACES + 1):
            self._know([batch.lane for batch in batches])
            try:
                self._save(self._admitted(batches, now), now)
                return
            except AlreadyTracked:
                self._seen.clear()
                if attempt == _RACES:
                    raise

    def _know(self, lanes: Sequence[Lane]) -> None:
        unknown = [lane for lane in lanes if lane not in self._seen]
        if unknown:
            self._seen.update(self._positions.tracked(unknown))

    def _admitted(self, batches: Sequence[LaneBatch], now: float) -> Portion:
        fresh: list[Envelope] = []
        after: dict[Lane, LanePosition] = {}
        for batch in batches:
            if batch.lane in self._troubles.held:
                continue
            before = self._seen[batch.lane].position
            order = in_order(batch.envelopes, before.sequence)
            if batch.lane in self._troubles.gaps and not order.fresh:
                continue  # what was passed over comes again, once the lane is read again
            self._troubles.note_gap(batch.lane, order.gap, now)
            fresh += order.fresh
            after[batch.lane] = after_batch(batch, order, before)
        events = self._decider.relevant(fresh)
        events.sort(key=lambda envelope: envelope.sequence)
        return Portion(events, after)

    # --- saving ---

    def _save(self, portion: Portion, now: float) -> None:
        """Save all of it; what fails only when it is saved is found by halving."""
        portion = portion.without_lanes(self._troubles.held.reasons)
        try:
            self._save_whole(portion, now)
        except (*TRANSIENT, AlreadyTracked, RacesLost):
            raise
        except Exception as error:
            if not portion.events:
                raise
            self._save_apart(portion, error, now)

    def _save_apart(self, portion: Portion, error: Exception, now: float) -> None:
        if len(portion.events) > 1:
            for half in portion.halves(self._seen):
                self._save(half, now)
            return
        event = portion.events[0]
        if isinstance(error, REFUSED):
            self._decider.refused(event, error)
            self._save(Portion((), portion.after), now)
        else:
            lane = lane_of(event)
            stopped = portion.stopped_before({lane: event}, self._seen)
            self._save_whole(Portion((), stopped.after), now)
            self._troubles.hold(lane, event, error, now)

    def _save_whole(self, portion: Portion, now: float) -> None:
        for _ in range(_RACES):
            decided = self._decider.decide(portion.events)
            failed = {lane: event for lane, (event, _) in decided.failed.items()}
            reached = portion.stopped_before(failed, self._seen)
            try:
                self._commit(decided.session, reached)
            except VersionConflict:
                continue
            self._moved(reached)
            for lane, (event, error) in decided.failed.items():
                self._troubles.hold(lane, event, error, now)
            return
        raise RacesLost

    def _commit(self, session: Session, reached: Portion) -> None:
        aggregates, beside = session.decided()
        moved = self._positions.moved(reached.advances(self._seen))
        if moved.tracking:
            directory = (*beside.directory, *moved.directory)
            everything = replace(beside, tracking=moved.tracking, directory=directory)
            self._app.save_all(aggregates, {}, beside=everything)

    def _moved(self, reached: Portion) -> None:
        self.reacted += len(reached.events)
        advanced = reached.advances(self._seen)
        for lane in advanced:
            self._troubles.held.settle(lane)
        for lane, position in reached.after.items():
            self._seen[lane] = Tracked(position, self._seen[lane].revision)
        self._seen.update(advanced)
