"""The topics of a context: made on purpose, with settings that keep history for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import NoError, TopicAlreadyExistsError, for_code

from crm_events.catalogue import events_topic, marks_topic
from crm_events.partitions import PARTITIONS

_MAX_RECORD_BYTES: Final = 2 * 1024 * 1024
_REQUEST_MS: Final = 5_000
_ANNOUNCED_SECONDS: Final = 10.0
_AGAIN_SECONDS: Final = 0.05
_FOR_EVER: Final = {
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "message.timestamp.type": "LogAppendTime",
    "max.message.bytes": str(_MAX_RECORD_BYTES),
}
EVENTS_SETTINGS: Final = {**_FOR_EVER, "cleanup.policy": "delete"}
"""`delete` with a retention that never ends: nothing is ever compacted away."""
MARKS_SETTINGS: Final = {**_FOR_EVER, "cleanup.policy": "compact"}
_MUST_HOLD: Final = ("retention.ms", "retention.bytes", "cleanup.policy")


class WrongTopic(Exception):
    """A topic is there that cannot be used; the message says why and what to do."""


class WrongPartitionCount(WrongTopic):
    """A topic has another number of partitions than events are stored with; order would break."""


async def ensure_topics(bootstrap: str, namespace: str, context: str, replication: int = 1) -> None:
    """Create the topics that are missing and check those that exist. Raises WrongTopic."""
    settings = {
        events_topic(namespace, context): EVENTS_SETTINGS,
        marks_topic(namespace, context): MARKS_SETTINGS,
    }
    counts = {events_topic(namespace, context): PARTITIONS, marks_topic(namespace, context): 1}
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=_REQUEST_MS)
    try:
        await admin.start()
        missing = sorted(set(settings) - set(await admin.list_topics()))
        await _create(admin, [_new(name, counts[name], replication, settings) for name in missing])
        for name, count in (await _announced(admin, list(settings))).items():
            _check_count(name, count, counts[name])
        for name, wanted in settings.items():
            _check_settings(name, await _settings_of(admin, name), wanted)
    finally:
        await admin.close()


def _new(
    name: str, count: int, replication: int, settings: Mapping[str, Mapping[str, str]]
) -> NewTopic:
    return NewTopic(name, count, replication, topic_configs=dict(settings[name]))


async def _create(admin: AIOKafkaAdminClient, topics: list[NewTopic]) -> None:
    if not topics:
        return
    answer = await admin.create_topics(topics)
    for name, code, *rest in answer.topic_errors:
        error = for_code(code)
        if error not in (NoError, TopicAlreadyExistsError):
            raise error(f"topic {name}: {rest}")


async def _announced(admin: AIOKafkaAdminClient, topics: list[str]) -> Mapping[str, int]:
    """The partitions of each topic, once the broker tells of them: of one that was just made it
    tells of none for a moment. Raises TimeoutError."""
    async with asyncio.timeout(_ANNOUNCED_SECONDS):
        while True:
            told = await admin.describe_topics(topics)
            found = {topic["topic"]: len(topic["partitions"]) for topic in told}
            if all(found.get(name) for name in topics):
                return found
            await asyncio.sleep(_AGAIN_SECONDS)


async def _settings_of(admin: AIOKafkaAdminClient, topic: str) -> Mapping[str, Any]:
    wanted = dict.fromkeys(_MUST_HOLD)
    asked = ConfigResource(ConfigResourceType.TOPIC, topic, configs=wanted)
    answers = await admin.describe_configs([asked])
    return {entry[0]: entry[1] for answer in answers for entry in answer.resources[0][4]}


def _check_count(topic: str, found: int, wanted: int) -> None:
    if found != wanted:
        raise WrongPartitionCount(
            f"Topic {topic} has {found} partitions, not {wanted}; partition counts never change: "
            "delete the topic and let the relay fill it again."
        )


def _check_settings(topic: str, found: Mapping[str, Any], wanted: Mapping[str, str]) -> None:
    for name in _MUST_HOLD:
        if name in found and found[name] != wanted[name]:
            raise WrongTopic(
                f"Topic {topic} has {name}={found[name]}, not {wanted[name]}: it would lose "
                f"history. Set it, or delete the topic and let the relay fill it again."
            )
