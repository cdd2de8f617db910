"""Topics that lose, repeat or disorder what was published, or hold what does not belong there."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from crm_events.catalogue import CONTEXTS as ALL
from crm_events.catalogue import events_topic
from crm_events.envelope import Envelope, to_headers
from crm_events.partitions import PARTITIONS
from crm_events.relay.publisher import watermark_headers
from crm_events.relay.topics import ensure_topics

from tests.faults.collecting import INJECTED
from tests.faults.ground import Ground
from tests.faults.settling import Beside, beside
from tests.faults.trial import Outcome, Trial, told, trial

WIPED, REFUSED, SHUFFLED = "wiped-topic", "refused-batch", "shuffled-topic"
CONTEXTS: Final = ("contacts", "pipeline")
_RATE: Final = 25.0
_WINDOW: Final = 8
_REFUSED: Final = (0, 1, 2, 3, 5, 6, 7, 4, 5, 6, 7)
"""A batch of one is refused and those after it are not; then the producer repeats from there."""


# --- wiped ---


def wiped(place: Ground, seed: int, *, long: bool) -> Outcome:
    """Deleted while it is written and read: the relay fills it again, and nobody takes it twice."""
    with trial(place, WIPED, seed, contexts=CONTEXTS) as ours:
        ours.sources = ("store", "topic")
        times = 3 if long else 1
        with ours.arriving(_RATE):
            for _ in range(times):
                ours.wait_for_more(80)
                asyncio.run(_delete(ours))
                ours.wait_for_more(80)
        ours.rest("the wiping")
        ours.figures["wiped"] = times * len(CONTEXTS)
        return ours.judged(WIPED)


async def _delete(ours: Trial) -> None:
    topics = [events_topic(ours.deployment.namespace, context) for context in CONTEXTS]
    ours.journal.remark(f"delete {topics}")
    admin = AIOKafkaAdminClient(bootstrap_servers=ours.deployment.straight_kafka)
    await admin.start()
    try:
        await admin.delete_topics(topics)
    finally:
        await admin.close()


# --- a refused batch ---


def refused(place: Ground, seed: int, *, long: bool) -> Outcome:
    """A topic as an idempotent producer leaves it whose batch was refused: nothing is lost. Then
    come relays, which know nothing of having published, and reactions."""
    apis = [f"{context}-api" for context in CONTEXTS]
    with trial(place, REFUSED, seed, roles=apis, contexts=CONTEXTS) as ours:
        with ours.arriving(_RATE * 2):
            ours.wait_for_more(1_500 if long else 400)
        ours.rest("the load")
        with beside(ours.deployment) as opened:
            ours.figures["records"] = asyncio.run(_publish_refused(ours, opened))
        ours.deployment.publishing |= set(CONTEXTS)
        ours.deployment.add("projections-views")
        ours.rest("the refused batches")
        for context in CONTEXTS:
            ours.deployment.add(f"{context}-relay")
            ours.deployment.add(f"{context}-react")
        ours.rest("the relays' return")
        return ours.judged(REFUSED)


async def _publish_refused(ours: Trial, opened: Beside) -> int:
    """Answers how many records it took."""
    written = 0
    for context in ALL:
        namespace = ours.deployment.namespace
        await ensure_topics(ours.deployment.straight_kafka, namespace, context)
    async with AIOKafkaProducer(bootstrap_servers=ours.deployment.straight_kafka) as producer:
        for context in CONTEXTS:
            topic, head = events_topic(namespace, context), opened.recorders[context]
            for partition, events in _by_partition(head.read_log(0, 1 << 30).envelopes).items():
                for envelope, before in disordered(events):
                    await _send(producer, topic, partition, envelope, before)
                    written += 1
            for partition in range(PARTITIONS):
                headers = watermark_headers(context, head.safe_position())
                await producer.send(topic, b"{}", partition=partition, headers=headers)
        await producer.flush()
    return written


def _by_partition(envelopes: Sequence[Envelope]) -> Mapping[int, list[tuple[Envelope, int]]]:
    lanes: dict[int, list[tuple[Envelope, int]]] = defaultdict(list)
    for envelope in envelopes:
        lane = lanes[envelope.partition]
        lane.append((envelope, lane[-1][0].sequence if lane else 0))
    return lanes


def disordered(events: Sequence[tuple[Envelope, int]]) -> list[tuple[Envelope, int]]:
    """Every window of eight as 1 2 3 4 6 7 8 5 6 7 8."""
    found = []
    for start in range(0, len(events), _WINDOW):
        window = events[start : start + _WINDOW]
        found += [window[index] for index in _REFUSED if index < len(window)]
    return found


async def _send(
    producer: AIOKafkaProducer, topic: str, partition: int, envelope: Envelope, before: int
) -> None:
    await producer.send(
        topic,
        envelope.data,
        key=str(envelope.aggregate_id).encode(),
        partition=partition,
        headers=to_headers(envelope, before),
    )


# --- duplicates and strays ---


def shuffled(place: Ground, seed: int, *, long: bool) -> Outcome:
    """Records repeated, out of their order, and in partitions that are not theirs, beside the
    relay's own; then the relays are killed and find these at the topic's end."""
    with trial(place, SHUFFLED, seed, contexts=CONTEXTS) as ours:
        for _ in range(4 if long else 1):
            with ours.arriving(_RATE):
                ours.wait_for_more(150)
                counts = asyncio.run(_inject(ours))
                ours.wait_for_more(50)
            for context in CONTEXTS:
                ours.kill(f"{context}-relay")
            for name, count in counts.items():
                ours.figures[name] = ours.figures.get(name, 0) + count
            told(f"injected {counts}")
        ours.rest("the shuffling")
        return ours.judged(SHUFFLED)


async def _inject(ours: Trial) -> dict[str, int]:
    chance, counts = Random(ours.seed), {"repeated": 0, "strayed": 0, "replayed": 0}
    bootstrap = ours.deployment.straight_kafka
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for context in CONTEXTS:
            topic = events_topic(ours.deployment.namespace, context)
            records = await _records(bootstrap, topic)
            for record in records:
                draw = chance.random()
                if draw < 0.1:
                    counts["repeated"] += 1
                    await _again(producer, topic, record, record.partition)
                elif draw < 0.12:
                    counts["strayed"] += 1
                    other = (record.partition + 1 + chance.randrange(11)) % PARTITIONS
                    await _again(producer, topic, record, other)
            for record in chance.sample(records, min(200, len(records))):
                counts["replayed"] += 1
                await _again(producer, topic, record, record.partition)
        await producer.flush()
    return counts


async def _records(bootstrap: str, topic: str) -> list[Any]:
    """All that the topic holds now, in the order it is read."""
    lanes = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    found: list[Any] = []
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False) as consumer:
        consumer.assign(lanes)
        ends = await consumer.end_offsets(lanes)
        await consumer.seek_to_beginning(*lanes)
        while [lane for lane, end in ends.items() if await consumer.position(lane) < end]:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += [r for r in records if "ce_id" in dict(r.headers)]
    return found


async def _again(producer: AIOKafkaProducer, topic: str, record: Any, partition: int) -> None:
    headers = [*record.headers, (INJECTED, b"1")]
    await producer.send(topic, record.value, key=record.key, partition=partition, headers=headers)
