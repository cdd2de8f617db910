"""The one relay of a context: safe positions in, records out, the position moved last.

A crash between the two repeats a suffix; every record names its predecessor in its partition, so a
consumer drops repeats and sees gaps with two comparisons.
"""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from crm_events.catalogue import events_topic
from crm_events.connecting import to_the_end
from crm_events.relay.broker import Broker, KafkaBroker, RelaySettings
from crm_events.relay.publisher import Publisher, PublishFailed, TopicWiped
from crm_events.relay.publishing import Publishing, SteppedDown
from crm_events.relay.threads import Threads
from crm_events.relay.topics import WrongTopic
from crm_events.relay.written import Tail, Written
from crm_events.store.port import EventRecorder, RelayState

__all__ = ["Relay", "RelaySettings", "TopicAhead"]

_log = structlog.get_logger("crm.relay")
_STANDBY: Final = 0.5
_WHOLE_LOG: Final = 2**62


class TopicAhead(Exception):
    """The topic holds what the store does not: the store was restored to an earlier state."""


class Relay:
    """Runs until cancelled; leads when it can, stands by when another does.

    `failing` says why it leads and does not publish, or why it cannot find out who leads.
    """

    def __init__(
        self, recorder: EventRecorder, settings: RelaySettings, broker: Broker | None = None
    ) -> None:
        self._recorder = recorder
        self._settings = settings
        self._broker = broker or KafkaBroker(settings)
        self._threads: Threads
        self.position = 0
        self.leading = False
        self.failing: str | None = None

    async def run(self) -> None:
        """Lead, or wait to lead; any failure drops the producer and starts from the stored
        position. Calls to the store follow one another in one thread: leaving comes last. Marks are
        written in another."""
        self._threads = Threads(self._settings.context)
        try:
            while True:
                await self._lead_and_tell()
                await asyncio.sleep(_STANDBY)
        finally:
            self._threads.leave()

    async def _lead_and_tell(self) -> None:
        try:
            await self._lead_once()
            self.failing = None
        except Exception as error:  # noqa: BLE001 (told, shown by `failing`, tried again)
            self.failing = _told(error)
            context, reason = self._settings.context, type(error).__name__
            _log.warning("relay_restarts", context=context, reason=reason, exc_info=error)
        finally:
            self.leading = False

    async def _lead_once(self) -> None:
        try:
            state = await self._threads.in_turn(self._recorder.lead)
            if state is not None:
                await self._publish_for_ever(state)
        finally:
            await asyncio.shield(self._threads.in_turn(self._recorder.resign))

    async def _publish_for_ever(self, state: RelayState) -> None:
        told = self._settings
        written = await to_the_end(self._broker.look())
        await self._threads.in_turn(self._check_tails, written)
        state = await self._back_to(state, written.lost(state.last_in_partition))
        publisher = Publisher(
            told.bootstrap,
            told.namespace,
            told.context,
            ends=written.ends,
            last_mark=written.last_mark,
            producer=self._broker.producer(),
        )
        publishing = Publishing(self._recorder, publisher, state, written.last_mark, self._threads)
        try:
            await to_the_end(publisher.start())
            self.leading, self.failing = True, None
            self._moved(state.position)
            await publishing.run(self._moved)
        except TopicWiped:
            await self._back_to(publishing.state, 0)
            raise
        finally:
            await publishing.leave()
            await publisher.drop()

    def _moved(self, position: int) -> None:
        self.position = position

    def _check_tails(self, written: Written) -> None:
        """Raises TopicAhead where a topic ends with what the store does not hold."""
        last = self._recorder.last_in_partitions(_WHOLE_LOG).values()
        head = max(last, default=0)
        for partition, tail in written.tails.items():
            if tail.sequence > head or not self._holds(tail):
                topic = events_topic(self._settings.namespace, self._settings.context)
                raise TopicAhead(
                    f"Partition {partition} of {topic} ends with {tail.sequence}, which the store "
                    "does not hold: it was restored to an earlier state. Delete the topic, let the "
                    "relay fill it again, and rebuild the views."
                )

    def _holds(self, tail: Tail) -> bool:
        if tail.event_id is None:  # a watermark
            return True
        page = self._recorder.read_log(tail.sequence - 1, 1)
        return [envelope.id for envelope in page.envelopes] == [tail.event_id]

    async def _back_to(self, state: RelayState, position: int | None) -> RelayState:
        """What a topic has lost is published again, from the last event that it still holds."""
        if position is None or position >= state.position:
            return state
        _log.warning("topic_lost", context=self._settings.context, position=position)
        last = await self._threads.in_turn(self._recorder.last_in_partitions, position)
        back = RelayState(position, state.epoch, dict(last))
        if not await self._threads.in_turn(self._recorder.advance_relay, state, back):
            raise SteppedDown
        return back


def _told(error: Exception) -> str:
    """What readiness shows: our own sentences, and of other errors the class alone."""
    ours = isinstance(error, PublishFailed | TopicWiped | WrongTopic | TopicAhead | SteppedDown)
    return f"{type(error).__name__}: {error}" if ours else type(error).__name__
