"""Waiting in asynchronous tests: for a condition, with a deadline, never for a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PAUSE = 0.01


async def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    """Returns as soon as `holds`, asked in a thread; raises TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(holds):  # noqa: ASYNC110 - nothing rings for it
            await asyncio.sleep(PAUSE)
