"""The topics themselves: made on purpose, checked, filled again when somebody emptied them."""

from __future__ import annotations

from uuid import UUID

import pytest
from crm_events.catalogue import events_topic
from crm_events.partitions import PARTITIONS
from crm_events.relay.publisher import Publisher
from crm_events.relay.topics import WrongPartitionCount, WrongTopic, ensure_topics
from crm_events.store.sqlite import SqliteRecorder
from crm_servers import KafkaServer

from tests.events.relay.conftest import MakeRelay, reaches, running
from tests.events.topic import delete_topic, make_topic, published, settings_of
from tests.events.writing import Writer, chain, chains, things_in, without_repeats
from tests.support.until import until


@pytest.fixture
def writer(sqlite: SqliteRecorder) -> Writer:
    return Writer(sqlite)


@pytest.fixture
def topic(namespace: str) -> str:
    return events_topic(namespace, "contacts")


async def test_topics_keep_history_for_ever(kafka: KafkaServer, namespace: str, topic: str) -> None:
    for _ in range(2):
        await ensure_topics(kafka.bootstrap, namespace, "contacts")
    names = ["retention.ms", "retention.bytes", "cleanup.policy", "message.timestamp.type"]
    assert await settings_of(kafka.bootstrap, topic, names) == {
        "retention.ms": "-1",
        "retention.bytes": "-1",
        "cleanup.policy": "delete",
        "message.timestamp.type": "LogAppendTime",
    }
    marks = await settings_of(kafka.bootstrap, f"{namespace}.contacts.marks", names)
    assert (marks["cleanup.policy"], marks["retention.ms"]) == ("compact", "-1")


async def test_other_partition_count_is_refused(
    kafka: KafkaServer, namespace: str, topic: str, writer: Writer, make_relay: MakeRelay
) -> None:
    await make_topic(kafka.bootstrap, topic, PARTITIONS + 1, {"retention.ms": "-1"})
    with pytest.raises(WrongPartitionCount, match="has 13 partitions, not 12"):
        await ensure_topics(kafka.bootstrap, namespace, "contacts")
    writer.spread(10)
    async with running(make_relay(writer.recorder)) as relay:
        await until(lambda: relay.failing is not None)
        assert "has 13 partitions" in (relay.failing or "")
    assert relay.position == 0


async def test_topic_that_forgets_is_refused(
    kafka: KafkaServer, namespace: str, topic: str
) -> None:
    await make_topic(kafka.bootstrap, topic, PARTITIONS, {"retention.ms": "604800000"})
    with pytest.raises(WrongTopic, match=r"retention\.ms=604800000.*lose history"):
        await ensure_topics(kafka.bootstrap, namespace, "contacts")


async def test_wiped_topic_is_filled_again(
    kafka: KafkaServer, namespace: str, topic: str, writer: Writer, make_relay: MakeRelay
) -> None:
    async with running(make_relay(writer.recorder)) as relay:
        await reaches(relay, writer.spread(300))
    await delete_topic(kafka.bootstrap, topic)
    last = writer.spread(50)
    async with running(make_relay(writer.recorder)) as relay:
        await reaches(relay, last)
    found = await published(kafka.bootstrap, namespace, "contacts")
    assert {lane: chain(events) for lane, events in found.items()} == chains(writer.recorder)


async def test_topic_wiped_under_a_relay_is_filled_again(
    kafka: KafkaServer, namespace: str, topic: str, writer: Writer, make_relay: MakeRelay
) -> None:
    async with running(make_relay(writer.recorder)) as relay:
        await reaches(relay, writer.spread(300))
        await delete_topic(kafka.bootstrap, topic)
        await ensure_topics(kafka.bootstrap, namespace, "contacts")
        epoch = writer.recorder.relay_state().epoch
        last = writer.spread(50)
        await until(lambda: writer.recorder.relay_state().epoch > epoch)
        await reaches(relay, last)
    found = await published(kafka.bootstrap, namespace, "contacts")
    stored = chains(writer.recorder)
    assert {lane: set(chain(events)) for lane, events in found.items()} == {
        lane: set(events) for lane, events in stored.items()
    }
    assert {lane: in_the_end(chain(events)) for lane, events in found.items()} == stored


def in_the_end(events: list[tuple[int, int, UUID]]) -> list[tuple[int, int, UUID]]:
    """What a consumer takes that passes over what lies ahead of a gap."""
    taken: list[tuple[int, int, UUID]] = []
    for event in events:
        if event[1] == (taken[-1][0] if taken else 0):
            taken.append(event)
    return taken


async def test_lost_tail_is_published_again(
    kafka: KafkaServer, namespace: str, writer: Writer, make_relay: MakeRelay
) -> None:
    """As after a broker's power cut: the relay's row says more than the topic holds."""
    (id,) = things_in(3)
    async with running(make_relay(writer.recorder)) as relay:
        await reaches(relay, writer.write([id]))
        await until(lambda: not relay.failing)
    writer.spread(100)
    state = writer.recorder.lead()
    assert state is not None
    said = type(state)(100, state.epoch, dict(writer.recorder.last_in_partitions(100)))
    assert writer.recorder.advance_relay(state, said)
    writer.recorder.resign()
    async with running(make_relay(writer.recorder)) as relay:
        await reaches(relay, 101)
    found = await published(kafka.bootstrap, namespace, "contacts")
    stored = chains(writer.recorder)
    assert {lane: without_repeats(events) for lane, events in found.items()} == stored


async def test_topic_ahead_of_its_store_is_not_written(
    kafka: KafkaServer, namespace: str, tmp_path_factory: pytest.TempPathFactory,
    writer: Writer, make_relay: MakeRelay,
) -> None:  # fmt: skip
    """As after a store was restored from a backup: its next events would take old positions."""
    async with running(make_relay(writer.recorder)) as relay:
        await reaches(relay, writer.spread(100))
    before = await published(kafka.bootstrap, namespace, "contacts")
    restored = Writer(SqliteRecorder(tmp_path_factory.mktemp("restored") / "contacts.db"))
    restored.spread(60)
    async with running(make_relay(restored.recorder)) as relay:
        await until(lambda: relay.failing is not None)
        assert "restored to an earlier state" in (relay.failing or "")
    restored.recorder.close()
    after = await published(kafka.bootstrap, namespace, "contacts")
    assert {lane: chain(events) for lane, events in before.items()} == {
        lane: chain(events) for lane, events in after.items()
    }


async def test_topic_wiped_under_a_relay_that_dies_then_is_filled_again(
    kafka: KafkaServer, namespace: str, topic: str, writer: Writer, make_relay: MakeRelay
) -> None:
    """It was written to before anybody found out: every partition ends with what was published
    last, and lacks what came before."""
    last = writer.spread(100)
    async with running(make_relay(writer.recorder)) as relay:
        await reaches(relay, last)
    await delete_topic(kafka.bootstrap, topic)
    await ensure_topics(kafka.bootstrap, namespace, "contacts")
    dying = Publisher(kafka.bootstrap, namespace, "contacts")
    await dying.start()
    await dying.watermark(last, writer.recorder.relay_state().last_in_partition)
    await dying.drop()
    async with running(make_relay(writer.recorder)) as relay:
        await until(lambda: relay.leading)
        await reaches(relay, last)
    found = await published(kafka.bootstrap, namespace, "contacts")
    stored = chains(writer.recorder)
    assert {lane: without_repeats(events) for lane, events in found.items() if events} == stored
