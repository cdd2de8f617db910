"""The one relay of a context: safe positions in, records out, the position moved last.

A crash between the two repeats a suffix; every record names its predecessor in its partition, so a
consumer drops repeats and sees gaps with two comparisons.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import structlog

from crm_events.envelope import Envelope
from crm_events.relay.publisher import Publisher, PublishFailed
from crm_events.relay.topics import ensure_topics
from crm_events.relay.written import Written, read_written
from crm_events.store.port import EventRecorder, LogPage, RelayState, StoreUnavailable

_log = structlog.get_logger("crm.relay")
_PAGE: Final = 2_000
_IDLE: Final = 0.01
_IDLEST: Final = 0.05
_STANDBY: Final = 0.5
_WATERMARK_EVERY: Final = 0.1
_MARK_EVERY: Final = 1.0


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """Where a context's records go."""

    bootstrap: str
    namespace: str
    context: str
    replication: int = 1


class SteppedDown(Exception):
    """Another relay leads now; what this one read may have been published already."""


class Relay:
    """Runs until cancelled; leads when it can, stands by when another does."""

    def __init__(self, recorder: EventRecorder, settings: RelaySettings) -> None:
        self._recorder = recorder
        self._settings = settings
        self.position = 0
        self.leading = False
        self.failing: str | None = None

    async def run(self) -> None:
        """Lead, or wait to lead; any failure drops the producer and starts from the stored position."""
        try:
            while True:
                try:
                    await self._lead_once()
                    self.failing = None
                except (PublishFailed, StoreUnavailable, SteppedDown, OSError) as error:
                    self.failing = f"{type(error).__name__}: {error}"
                    _log.warning("relay_restarts", context=self._settings.context, reason=self.failing)
                self.leading = False
                await asyncio.sleep(_STANDBY)
        finally:
            await asyncio.to_thread(self._recorder.resign)

    async def _lead_once(self) -> None:
        state = await asyncio.to_thread(self._recorder.lead)
        if state is None:
            return
        try:
            await self._publish_for_ever(state)
        finally:
            await asyncio.to_thread(self._recorder.resign)

    async def _publish_for_ever(self, state: RelayState) -> None:
        settings = self._settings
        await _reachable(settings)
        written = await read_written(settings.bootstrap, settings.namespace, settings.context)
        state = await self._refill_if_wiped(state, written)
        publisher = Publisher(settings.bootstrap, settings.namespace, settings.context)
        await publisher.start()
        self.leading = True
        try:
            await _Publishing(self._recorder, publisher, state, written.last_mark, self).run()
        finally:
            await publisher.drop()

    async def _refill_if_wiped(self, state: RelayState, written: Written) -> RelayState:
        """A topic emptied by somebody is filled again from the beginning of the log."""
        if not written.empty or state.position == 0:
            return state
        _log.warning("topic_wiped", context=self._settings.context, refilling_to=state.position)
        fresh = RelayState(0, state.epoch, {})
        if not await asyncio.to_thread(self._recorder.advance_relay, state, fresh):
            raise SteppedDown
        return fresh


async def _reachable(settings: RelaySettings) -> None:
    try:
        async with asyncio.timeout(15):
            await ensure_topics(
                settings.bootstrap, settings.namespace, settings.context, settings.replication
            )
    except Exception as error:
        raise PublishFailed(f"{type(error).__name__}: {error}") from error


class _Publishing:
    """One leadership: the loop over pages, with its watermarks and marks."""

    def __init__(
        self,
        recorder: EventRecorder,
        publisher: Publisher,
        state: RelayState,
        last_mark: datetime | None,
        relay: Relay,
    ) -> None:
        self._recorder = recorder
        self._publisher = publisher
        self._state = state
        self._last_mark = last_mark
        self._relay = relay
        self._told = -1
        self._told_at = 0.0
        self._marked_at = 0.0

    async def run(self) -> None:
        idle = _IDLE
        while True:
            page = await asyncio.to_thread(self._recorder.read_log, self._state.position, _PAGE)
            if page.safe_to > self._state.position:
                await self._publish(page)
                idle = _IDLE
            else:
                await asyncio.sleep(idle)
                idle = min(idle * 2, _IDLEST)
            await self._tell()

    async def _publish(self, page: LogPage) -> None:
        envelopes, last = _linked(page.envelopes, dict(self._state.last_in_partition))
        if envelopes:
            await self._publisher.publish(envelopes)
        moved = RelayState(page.safe_to, self._state.epoch, last)
        if not await asyncio.to_thread(self._recorder.advance_relay, self._state, moved):
            raise SteppedDown
        self._state = moved
        self._relay.position = moved.position

    async def _tell(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._told < self._state.position and now - self._told_at >= _WATERMARK_EVERY:
            await self._publisher.watermark(self._state.position)
            self._told, self._told_at = self._state.position, now
        if now - self._marked_at >= _MARK_EVERY:
            await self._mark()
            self._marked_at = now

    async def _mark(self) -> None:
        await asyncio.to_thread(self._recorder.write_mark)
        marks = await asyncio.to_thread(self._recorder.marks, self._last_mark, 1_000)
        if marks:
            await self._publisher.marks(marks)
            self._last_mark = marks[-1].at


def _linked(
    envelopes: Sequence[Envelope], last: dict[int, int]
) -> tuple[list[Envelope], dict[int, int]]:
    """Each event with the sequence of the one before it in its partition."""
    linked: list[Envelope] = []
    for envelope in envelopes:
        linked.append(replace(envelope, prevsequence=last.get(envelope.partition, 0)))
        last[envelope.partition] = envelope.sequence
    return linked, last
