"""The producer of one leadership: idempotent, and given up as a whole after any failure."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final, Protocol

from aiokafka import AIOKafkaProducer

from crm_events.envelope import Headers

_BATCH_BYTES: Final = 512 * 1024
_REQUEST_BYTES: Final = 2 * 1024 * 1024
_REQUEST_MS: Final = 10_000
_STOP_SECONDS: Final = 5.0


class Batch(Protocol):
    """Records of one partition that are accepted or refused together."""

    def append(
        self, *, timestamp: int | None, key: bytes | None, value: bytes | None, headers: Headers
    ) -> Any:
        """None where it is full."""

    def close(self) -> None: ...

    def record_count(self) -> int: ...


class Producer(Protocol):
    """What publishing asks of a client of Kafka."""

    async def start(self) -> None: ...

    def create_batch(self) -> Batch: ...

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> asyncio.Future[Any]:
        """The future's `offset` is that of the batch's first record, once acknowledged."""

    async def abandon(self) -> None:
        """Close without delivering what is unacknowledged."""


class IdempotentProducer(AIOKafkaProducer):  # type: ignore[misc]
    """aiokafka's, set up as the relay needs it."""

    def __init__(self, bootstrap: str) -> None:
        super().__init__(
            bootstrap_servers=bootstrap,
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            max_batch_size=_BATCH_BYTES,
            max_request_size=_REQUEST_BYTES,
            request_timeout_ms=_REQUEST_MS,
        )

    async def abandon(self) -> None:
        """An idempotent producer tries for ever, and its stop would wait as long: so nobody waits
        for the batches any more, and the connections are cut first."""
        self._give_up()
        with suppress(Exception):
            async with asyncio.timeout(_STOP_SECONDS):
                await self.client.close()
                await self.stop()

    def _give_up(self) -> None:
        """The sending task ends with an error then, which is nobody's concern any more."""
        accumulator, sender = self._message_accumulator, self._sender
        queued = [batch for lane in accumulator._batches.values() for batch in lane]
        for batch in (*queued, *accumulator._pending_batches):
            batch.future.cancel()
        if sender is not None and sender.sender_task is not None:
            sender.sender_task.remove_done_callback(sender._fail_all)
