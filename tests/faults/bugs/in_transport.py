"""Bugs of the relay and of reading a topic."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from aiokafka import TopicPartition
from crm_events.catalogue import events_topic
from crm_events.envelope import Envelope, to_headers
from crm_events.feed import kafka_records
from crm_events.relay import publisher, publishing, written
from crm_events.store import sqlite
from crm_events.store.port import NewEvent

from tests.faults.bugs.bug import Bug, instead, together
from tests.faults.bugs.told import (
    refused_batch,
    wiped_under_a_dying_relay,
    wiped_under_a_reader,
)
from tests.faults.sim.kafka import NAMESPACE
from tests.faults.sim.world import RUNNING


def _forgotten(real: Any) -> Any:
    async def publish(self: Any, events: Any) -> None:
        with suppress(publisher.PublishFailed):
            await real(self, events)

    return publish


def _advanced_first(_: Any) -> Any:
    async def publish(self: Any, portion: Any) -> None:
        if not await self._threads.in_turn(self._recorder.advance_relay, self.state, portion.after):
            raise publishing.SteppedDown
        self.state = portion.after
        if portion.records:
            await self._publisher.publish(portion.records)

    return publish


def _swapped(real: Any) -> Any:
    """Two events of one partition change places, each naming the one that is before it now."""

    def link(envelopes: Any, last: dict[int, int]) -> Any:
        swapped = list(envelopes)
        for n in range(len(swapped) - 1):
            if swapped[n].partition == swapped[n + 1].partition:
                swapped[n], swapped[n + 1] = swapped[n + 1], swapped[n]
                break
        return real(swapped, last)

    return link


def _believed(_: Any) -> Any:
    def hear(reading: Any, record: Any, watermark: int) -> None:  # noqa: ARG001
        reading.complete_to = max(reading.complete_to, watermark)

    return hear


def _tails_alone(_: Any) -> Any:
    def held_to(self: Any, partition: int) -> int:
        return self.tails[partition].sequence if partition in self.tails else 0

    return held_to


def _nothing_lost(_: Any) -> Any:
    return lambda *_: None


def _published_first(real: Any) -> Any:
    """As where an application sends its events itself, and saves them then."""

    def insert(self: Any, stored_events: Any, **kwargs: Any) -> Any:
        running = RUNNING.get()
        if self is running.store:
            head = self.safe_position()
            last = dict(self.last_in_partitions(head))
            for number, new in enumerate(stored_events, start=head + 1):
                before, last[new.partition] = last.get(new.partition, 0), number
                headers = to_headers(_envelope(new, number, running.now()), before)
                lane = TopicPartition(events_topic(NAMESPACE, "pipeline"), new.partition)
                running.kafka.put(lane, [(None, new.state, headers)])
        return real(self, stored_events, **kwargs)

    return insert


def _envelope(new: NewEvent, sequence: int, now: datetime) -> Envelope:
    return Envelope(
        id=new.event_id,
        type=new.topic,
        aggregate_id=cast(UUID, new.originator_id),
        aggregate_version=new.originator_version,
        sequence=sequence,
        partition=new.partition,
        recorded_at=now,
        occurred_at=new.occurred_at or now,
        correlation_id=new.correlation_id,
        causation_id=new.causation_id,
        command_id=new.command_id,
        actor=new.actor,
        origin=new.origin,
        supersedes=new.supersedes,
        traceparent=new.traceparent,
        data=new.state,
    )


BUGS = (
    Bug(
        "published before the commit",
        "an event is sent to the broker, and its transaction refused after that",
        "I6",
        instead(sqlite.SqliteRecorder, "insert_events", _published_first),
    ),
    Bug(
        "refused batch forgotten",
        "a batch that the broker refused is taken for published",
        "I6",
        instead(publisher.Publisher, "publish", _forgotten),
        scenarios=(refused_batch,),
    ),
    Bug(
        "relay position before publishing",
        "the relay's position moves first, and who starts there does not look at the topic",
        "I6",
        together(
            instead(publishing.Publishing, "_publish", _advanced_first),
            instead(written.Written, "lost", _nothing_lost),
        ),
    ),
    Bug(
        "two events swapped",
        "two neighbours of one partition are published in each other's place",
        "I3",
        instead(publishing, "link", _swapped),
    ),
    Bug(
        "watermark believed",
        "a watermark counts though the event it names has not been read",
        "I2",
        instead(kafka_records, "_hear", _believed),
        scenarios=(wiped_under_a_reader,),
    ),
    Bug(
        "tail of a wiped topic believed",
        "a partition counts as whole because it ends with what was published last",
        "I6",
        instead(written.Written, "_held_to", _tails_alone),
        scenarios=(wiped_under_a_dying_relay,),
    ),
    Bug(
        "wiped topic not filled again",
        "a relay that starts does not compare the topic with what it has published",
        "I6",
        instead(written.Written, "lost", _nothing_lost),
        scenarios=(wiped_under_a_dying_relay,),
    ),
)
