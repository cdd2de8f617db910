"""The topics of a context: made on purpose, with settings that keep history for ever."""

from __future__ import annotations

from typing import Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from crm_events.catalogue import events_topic, marks_topic
from crm_events.partitions import PARTITIONS

_MAX_RECORD_BYTES: Final = 2 * 1024 * 1024
_SETTINGS: Final = {
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "message.timestamp.type": "LogAppendTime",
    "max.message.bytes": str(_MAX_RECORD_BYTES),
}


class WrongPartitionCount(Exception):
    """A topic has another number of partitions than events are stored with; order would break."""


async def ensure_topics(
    bootstrap: str, namespace: str, context: str, replication: int = 1
) -> None:
    """Create the topics that are missing and check those that exist. Raises WrongPartitionCount."""
    wanted = {events_topic(namespace, context): PARTITIONS, marks_topic(namespace, context): 1}
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await _create(admin, wanted, replication)
        described = await admin.describe_topics(list(wanted))
        for topic in described:
            _check(topic["topic"], len(topic["partitions"]), wanted[topic["topic"]])
    finally:
        await admin.close()


async def _create(admin: AIOKafkaAdminClient, wanted: dict[str, int], replication: int) -> None:
    answer = await admin.create_topics(
        [NewTopic(name, count, replication, topic_configs=_SETTINGS) for name, count in wanted.items()]
    )
    for name, code, *rest in answer.topic_errors:
        if code not in (0, TopicAlreadyExistsError.errno):
            raise for_code(code)(f"topic {name}: {rest}")


def _check(topic: str, found: int, wanted: int) -> None:
    if found != wanted:
        raise WrongPartitionCount(
            f"Topic {topic} has {found} partitions, not {wanted}; partition counts never change: "
            "delete the topic and let the relay fill it again."
        )
