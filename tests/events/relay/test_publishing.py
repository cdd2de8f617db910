"""What a relay puts on the topics of a context."""

from __future__ import annotations

import orjson
from crm_events.catalogue import marks_topic
from crm_events.envelope import to_headers
from crm_events.partitions import PARTITIONS
from crm_events.store.port import EventRecorder
from crm_servers import KafkaServer

from tests.events.relay.conftest import MakeRelay, reaches, running
from tests.events.store.building import whole_log
from tests.events.topic import published, records_of, watermarks
from tests.events.writing import Writer, chain, chains, thing
from tests.support.until import until


async def test_every_event_is_there_once_and_in_order(
    kafka: KafkaServer, namespace: str, writer: Writer, make_relay: MakeRelay
) -> None:
    writer.spread(700)
    async with running(make_relay(writer.recorder)) as relay:
        await reaches(relay, writer.spread(300))
    found = await published(kafka.bootstrap, namespace, "contacts")
    assert {lane: chain(events) for lane, events in found.items()} == chains(writer.recorder)


async def test_record_is_the_stored_event(
    kafka: KafkaServer, namespace: str, writer: Writer, make_relay: MakeRelay
) -> None:
    last = writer.write([thing(1)], b'{"tag":"\xc3\xbc"}')
    async with running(make_relay(writer.recorder)) as relay:
        await reaches(relay, last)
    (stored,) = whole_log(writer.recorder)
    records = await records_of(kafka.bootstrap, f"{namespace}.contacts.events")
    record = records[stored.partition][0]
    assert record.key == str(stored.aggregate_id).encode()
    assert record.value == stored.data
    assert list(record.headers) == to_headers(stored)
    assert record.timestamp_type == 1  # the broker's clock


async def test_every_partition_hears_the_watermark(
    kafka: KafkaServer, namespace: str, writer: Writer, make_relay: MakeRelay
) -> None:
    async with running(make_relay(writer.recorder)) as relay:
        for _ in range(3):
            last = writer.spread(50)
            await reaches(relay, last)
        await until_told(kafka, namespace, last)
    found = await watermarks(kafka.bootstrap, namespace, "contacts")
    assert len(found) == PARTITIONS
    assert all(told == sorted(told) for told in found.values())


async def until_told(kafka: KafkaServer, namespace: str, sequence: int) -> None:
    """All partitions hold a watermark of this sequence."""
    while True:
        found = await watermarks(kafka.bootstrap, namespace, "contacts")
        if len(found) == PARTITIONS and all(t[-1:] == [sequence] for t in found.values()):
            return


async def test_watermark_comes_after_all_it_speaks_of(
    kafka: KafkaServer, namespace: str, writer: Writer, make_relay: MakeRelay
) -> None:
    async with running(make_relay(writer.recorder)) as relay:
        last = writer.spread(500)
        await reaches(relay, last)
        await until_told(kafka, namespace, last)
    found = await records_of(kafka.bootstrap, f"{namespace}.contacts.events")
    for records in found.values():
        reached = 0
        for record in records:
            headers = dict(record.headers)
            sequence = int(headers["ce_sequence"])
            assert headers["ce_type"] == b"crm.watermark.v1" or sequence > reached
            reached = max(reached, sequence) if "ce_id" not in headers else reached


async def test_marks_follow_on_their_own_topic(
    kafka: KafkaServer, namespace: str, writer: Writer, make_relay: MakeRelay
) -> None:
    async with running(make_relay(writer.recorder)) as relay:
        await reaches(relay, writer.spread(50))
        await until(lambda: _marked(writer.recorder, 50))
        await reaches(relay, writer.spread(50))
        await until(lambda: _marked(writer.recorder, 100))
        topic = marks_topic(namespace, "contacts")
        told: list[tuple[str, int]] = []
        while not told or told[-1][1] < 100:
            (records,) = (await records_of(kafka.bootstrap, topic, 1)).values()
            raw = [orjson.loads(record.value) for record in records]
            told = [(mark["at"], mark["sequence"]) for mark in raw]
    assert told == sorted(told)
    assert {mark.at.isoformat() for mark in writer.recorder.marks(None, 100)} >= {told[0][0]}
    assert all(record.key for record in records)


def _marked(recorder: EventRecorder, position: int) -> bool:
    return any(mark.safe_to >= position for mark in recorder.marks(None, 1_000))


async def test_restart_goes_on_where_it_was(
    kafka: KafkaServer, namespace: str, writer: Writer, make_relay: MakeRelay
) -> None:
    async with running(make_relay(writer.recorder)) as relay:
        await reaches(relay, writer.spread(200))
    last = writer.spread(200)
    async with running(make_relay(writer.recorder)) as relay:
        await reaches(relay, last)
    found = await published(kafka.bootstrap, namespace, "contacts")
    assert {lane: chain(events) for lane, events in found.items()} == chains(writer.recorder)
