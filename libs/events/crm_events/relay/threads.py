"""The threads in which a relay talks to its store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


class Threads:
    """One for what moves the relay, whose calls follow one another, and one for all else."""

    def __init__(self, context: str) -> None:
        self._own = ThreadPoolExecutor(1, thread_name_prefix=f"relay-{context}")
        self._other = ThreadPoolExecutor(1, thread_name_prefix=f"relay-{context}-beside")

    async def in_turn(self, call: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._own, call, *arguments)

    async def beside(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """For calls that anybody may make at any time, whether the relay leads or not."""
        return await asyncio.get_running_loop().run_in_executor(self._other, call, *arguments)

    def leave(self) -> None:
        """Without waiting for a call that is under way."""
        self._own.shutdown(wait=False)
        self._other.shutdown(wait=False)
