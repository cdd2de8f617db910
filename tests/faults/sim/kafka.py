"""A broker in memory: partitions, offsets, groups, and everything that can go wrong with them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, MessageSizeTooLargeError
from aiokafka.structs import ConsumerRecord
from crm_events.catalogue import events_topic, marks_topic
from crm_events.envelope import Headers
from crm_events.feed.kafka_records import watermark_of
from crm_events.partitions import PARTITIONS

NAMESPACE: Final = "sim"
Put = tuple[bytes | None, bytes | None, Headers]


@dataclass(eq=False)
class Group:
    """Who shares the lanes of a group; whoever does not know its newest generation joins again."""

    generation: int = 0
    members: list[Any] = field(default_factory=list)

    def join(self, member: Any) -> None:
        if member not in self.members:
            self.members.append(member)
            self.generation += 1

    def leave(self, member: Any) -> None:
        if member in self.members:
            self.members.remove(member)
            self.generation += 1

    def share(self, member: Any, lanes: Sequence[TopicPartition]) -> set[TopicPartition]:
        turn = self.members.index(member)
        return set(sorted(lanes)[(turn + self.generation) % len(self.members) :: len(self.members)])


class FakeKafka:
    """`refusals`, `lost_acks` and `repeats` say how many of the next batches are refused, accepted
    without anybody hearing of it, or written twice. While it is `down` nothing is answered."""

    def __init__(self, contexts: Sequence[str]) -> None:
        self.contexts = contexts
        self.lanes: dict[TopicPartition, list[ConsumerRecord]] = defaultdict(list)
        self.groups: dict[str, Group] = defaultdict(Group)
        self.made: set[str] = set()
        self.refusals = self.lost_acks = self.repeats = 0
        self.down = False

    def make_topics(self, context: str) -> None:
        self.made |= {events_topic(NAMESPACE, context), marks_topic(NAMESPACE, context)}

    def partitions(self, topic: str) -> list[TopicPartition]:
        count = PARTITIONS if topic.endswith(".events") else 1
        return [TopicPartition(topic, number) for number in range(count)]

    def holds(self, context: str) -> bool:
        """Whether an event is on the events topic."""
        lanes = self.partitions(events_topic(NAMESPACE, context))
        return any(watermark_of(record) is None for lane in lanes for record in self.lanes[lane])

    def wipe(self, context: str) -> None:
        """The events topic is deleted and made anew, empty."""
        for lane in self.partitions(events_topic(NAMESPACE, context)):
            self.lanes[lane] = []

    def put(self, lane: TopicPartition, records: Sequence[Put]) -> int:
        """The offset of the first. Raises what a broker answers."""
        self.answers()
        if self.refusals:
            self.refusals -= 1
            raise MessageSizeTooLargeError
        first = len(self.lanes[lane])
        self._append(lane, records)
        if self.repeats:
            self.repeats -= 1
            self._append(lane, records)
        if self.lost_acks:
            self.lost_acks -= 1
            raise KafkaConnectionError("the acknowledgement was lost")
        return first

    def _append(self, lane: TopicPartition, records: Sequence[Put]) -> None:
        log = self.lanes[lane]
        for key, value, headers in records:
            log.append(
                ConsumerRecord(
                    lane.topic, lane.partition, len(log), 0, 1, key, value, None, 0, 0, headers
                )
            )

    def evict(self, part: object) -> None:
        """A member that said nothing for too long; it does not hear of it."""
        for group in self.groups.values():
            for member in [m for m in group.members if m.part is part]:
                group.leave(member)

    def answers(self) -> None:
        """Raises where the broker cannot be reached."""
        if self.down:
            raise KafkaConnectionError("the broker is down")

    async def up(self, pause: float = 0.05) -> None:
        """As clients do: try for ever."""
        while self.down:  # noqa: ASYNC110 - nothing rings for it
            await asyncio.sleep(pause)
