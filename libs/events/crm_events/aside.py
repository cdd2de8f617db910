"""Work that nobody waits for, beside a loop that goes on: one piece at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class Aside:
    """For one asyncio loop, which asks now and then and so hears of what failed."""

    def __init__(self) -> None:
        self._work: asyncio.Task[None] | None = None

    def free(self) -> bool:
        """Whether nothing is under way. Raises what the last piece of work raised."""
        if self._work is None or not self._work.done():
            return self._work is None
        work, self._work = self._work, None
        work.result()
        return True

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Only where it is free: whoever asked just now is who begins."""
        self._work = asyncio.create_task(work)

    async def leave(self) -> None:
        """Nobody waits any more for what is under way. Repeating it changes nothing."""
        work, self._work = self._work, None
        if work is not None:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
