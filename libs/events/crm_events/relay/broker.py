"""What a relay asks of Kafka: to look at its topics, and a fresh producer for each leadership."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final, Protocol

from crm_events.relay.producer import IdempotentProducer, Producer
from crm_events.relay.publisher import PublishFailed
from crm_events.relay.topics import WrongTopic, ensure_topics
from crm_events.relay.written import Written, read_written

_REACH_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """Where a context's records go."""

    bootstrap: str
    namespace: str
    context: str
    replication: int = 1


class Broker(Protocol):
    async def look(self) -> Written:
        """Make the topics that are missing, and see how far each goes. Raises PublishFailed and
        WrongTopic."""

    def producer(self) -> Producer:
        """One that is not started yet."""


class KafkaBroker:
    """The real one."""

    def __init__(self, settings: RelaySettings) -> None:
        self._settings = settings

    async def look(self) -> Written:
        told = self._settings
        await self._reach()
        return await read_written(told.bootstrap, told.namespace, told.context)

    def producer(self) -> Producer:
        return IdempotentProducer(self._settings.bootstrap)

    async def _reach(self) -> None:
        told = self._settings
        try:
            async with asyncio.timeout(_REACH_SECONDS):
                await ensure_topics(told.bootstrap, told.namespace, told.context, told.replication)
        except WrongTopic:
            raise
        except Exception as error:
            raise PublishFailed(f"{type(error).__name__}: {error}") from error
