"""Connecting to Kafka: what is begun is ended, so that nothing is left open."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """What the work answers; whoever is cancelled meanwhile waits for its end first.

    aiokafka leaves a connection open that is cancelled while it is made. The work has a deadline of
    its own.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()
        raise
