"""One connection to a broker for a feed: its two consumers, opened and closed without a trace."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

_PARTITION_BYTES: Final = 1024 * 1024
_FETCH_BYTES: Final = 16 * 1024 * 1024
_SESSION_MS: Final = 10_000
_HEARTBEAT_MS: Final = 1_000
_REBALANCE_MS: Final = 30_000
_REQUEST_MS: Final = 10_000
_METADATA_MS: Final = 5_000  # a topic that was made anew is found within this time
_START_SECONDS: Final = 15.0
_CLOSE_SECONDS: Final = 5.0
_IDLE_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class KafkaFeedSettings:
    """`group` is a permanent identity; `instance` makes a replica's membership static.

    `silence` is how many seconds the broker may say nothing before the feed gives up: a consumer
    can be alive and stuck for ever.
    """

    bootstrap: str
    namespace: str
    contexts: tuple[str, ...]
    group: str
    instance: str | None = None
    silence: float = 30.0


class FeedUnavailable(Exception):
    """The broker cannot be followed now; try again later."""


class KafkaSession:
    """A consumer of a group for events, and one without a group for marks.

    Neither begins where the group's own offsets say: `earliest` is only where an offset that the
    topic does not have ends up, and every lane is sought before it is read.
    """

    def __init__(self, consumer: Any, marks_consumer: Any) -> None:
        self.consumer = consumer
        self.marks_consumer = marks_consumer
        self._listened_at = self._heard_at = asyncio.get_running_loop().time()
        self._answered: Mapping[TopicPartition, int | None] = {}

    @classmethod
    def of(cls, settings: KafkaFeedSettings) -> KafkaSession:
        """Not opened yet."""
        common: dict[str, Any] = {
            "bootstrap_servers": settings.bootstrap,
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest",
            "isolation_level": "read_committed",
            "request_timeout_ms": _REQUEST_MS,
            "metadata_max_age_ms": _METADATA_MS,
            "max_partition_fetch_bytes": _PARTITION_BYTES,
            "fetch_max_bytes": _FETCH_BYTES,
        }
        consumer = AIOKafkaConsumer(
            group_id=f"{settings.namespace}.{settings.group}",
            group_instance_id=settings.instance,
            session_timeout_ms=_SESSION_MS,
            heartbeat_interval_ms=_HEARTBEAT_MS,
            rebalance_timeout_ms=_REBALANCE_MS,
            **common,
        )
        return cls(consumer, AIOKafkaConsumer(group_id=None, **common))

    async def open(self) -> None:
        """Raises FeedUnavailable; close it then."""
        try:
            async with asyncio.timeout(_START_SECONDS):
                await self.consumer.start()
                await self.marks_consumer.start()
        except (KafkaError, OSError, TimeoutError) as error:
            raise FeedUnavailable(f"Kafka does not answer: {type(error).__name__}") from error

    async def topics(self) -> set[str]:
        """Those that exist; asking for one by its name could create it. Raises FeedUnavailable."""
        try:
            async with asyncio.timeout(_START_SECONDS):
                return set(await self.marks_consumer.topics())
        except (KafkaError, OSError, TimeoutError) as error:
            raise FeedUnavailable(f"Kafka does not answer: {type(error).__name__}") from error

    def listen(self, heard: bool, lanes: Sequence[TopicPartition], silence: float) -> None:
        """Raises FeedUnavailable where a consumer has stopped fetching, and after `silence` seconds
        without a word from the broker."""
        if _stopped(self.consumer) or _stopped(self.marks_consumer):
            raise FeedUnavailable("a consumer has stopped fetching")
        now = asyncio.get_running_loop().time()
        answered = {lane: self.consumer.last_poll_timestamp(lane) for lane in lanes}
        busy_elsewhere = now - self._listened_at > _IDLE_SECONDS
        if heard or answered != self._answered or busy_elsewhere:
            self._answered, self._heard_at = answered, now
        self._listened_at = now
        if now - self._heard_at > silence:
            raise FeedUnavailable(f"the broker has said nothing for {silence:g} s")

    async def close(self) -> None:
        """Leave the group and close both. What still waits for the broker is cut off.

        aiokafka's stop waits for a join to be answered, and ends early, with everything open, when
        a connection was being made; so the connections are closed once more in any case.
        """
        consumers = (self.consumer, self.marks_consumer)
        closing = [asyncio.ensure_future(consumer.stop()) for consumer in consumers]
        await asyncio.wait(closing, timeout=_CLOSE_SECONDS)
        for consumer in consumers:
            await consumer._client.close()
        await asyncio.wait(closing, timeout=_CLOSE_SECONDS)
        for task in closing:
            task.cancel()
        await asyncio.gather(*closing, return_exceptions=True)


def _stopped(consumer: Any) -> bool:
    """Whether the task that fetches has failed, as when it writes to a connection that was torn at
    that moment: aiokafka logs it, and leaves such a consumer without a word for ever."""
    fetcher = getattr(consumer, "_fetcher", None)
    return fetcher is not None and fetcher.error_future.done()


Connect = Callable[[KafkaFeedSettings], KafkaSession]
"""Makes a session that is to be opened."""
