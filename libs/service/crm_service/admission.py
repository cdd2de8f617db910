"""No more requests at work than the database has connections; who waits too long is sent away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from crm_service.answering import RETRY_AFTER_SECONDS
from crm_service.problems import RequestRefused

PATIENCE_SECONDS: Final = 0.8
"""Below one second, so that an overloaded service says 503 within a second."""


class Admission:
    """A bounded number of places for requests whose bodies have been read, and a bounded wait."""

    def __init__(self, places: int, patience: float = PATIENCE_SECONDS) -> None:
        if places < 1:
            raise ValueError("A service needs at least one place to work in.")
        self.places = places
        self._patience = patience
        self._free = asyncio.Semaphore(places)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold a place. Raises RequestRefused (503) when none comes free in time."""
        if self._free.locked():
            await self._wait()
        else:
            await self._free.acquire()
        try:
            yield
        finally:
            self._free.release()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await self._free.acquire()
        except TimeoutError:
            later = {"Retry-After": str(RETRY_AFTER_SECONDS)}
            raise RequestRefused(
                "unavailable", "Too many requests at once.", headers=later
            ) from None
