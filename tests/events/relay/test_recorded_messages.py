"""What lies on a real topic is what the AsyncAPI documents say of it."""

from __future__ import annotations

import json

from crm_events.catalogue import CATALOGUE
from crm_events.feed.kafka_records import watermark_of
from crm_events.store.port import EventRecorder
from crm_servers import KafkaServer

from tests.events.contracts.described import refusal
from tests.events.golden import golden
from tests.events.relay.conftest import MakeRelay, reaches, running
from tests.events.store.building import append
from tests.events.topic import records_of
from tests.support.stored import stored_event


async def test_every_message_is_one_that_is_described(
    kafka: KafkaServer, namespace: str, recorder: EventRecorder, make_relay: MakeRelay
) -> None:
    stored = [golden(name).envelope for name in sorted(CATALOGUE)]
    events = [stored_event(e.aggregate_id, 1, e.type, e.data, by="staff:7") for e in stored]
    async with running(make_relay(recorder)) as relay:
        await reaches(relay, append(recorder, events)[-1])
    found = await records_of(kafka.bootstrap, f"{namespace}.contacts.events")
    seen = set()
    for record in [r for lane in found.values() for r in lane if watermark_of(r) is None]:
        headers = {key: value.decode() for key, value in record.headers}
        seen.add(name := headers["ce_type"])
        assert refusal(name, headers, json.loads(record.value or b"")) is None
    assert seen == set(CATALOGUE)
