"""Keeps what follows a log alive side by side, and ends the process when it stands still.

A consumer can be alive and stuck, and its client library may never notice; a process that ends is
started again by whoever supervises it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

import structlog
from crm_events.keys.port import KeysUnavailable
from crm_events.store.port import StoreUnavailable

STILL_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 2.0
_UPKEEP_SECONDS: Final = 30.0
_log = structlog.get_logger(__name__)


class StandsStill(Exception):
    """There is something to do, and nothing has been done for a while."""


async def together(stop: asyncio.Event, work: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run until the event is set or one of them ends, which none does by itself; raises its error.

    The others are cancelled and waited for.
    """
    tasks = [asyncio.create_task(one) for one in work]
    stopping = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait({stopping, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (stopping, *tasks):
            task.cancel()
        await asyncio.gather(stopping, *tasks, return_exceptions=True)
    for task in done & set(tasks):
        task.result()


async def watch(
    behind: Callable[[], bool],
    progress: Callable[[], object],
    *,
    still: float = STILL_SECONDS,
    look: float = _LOOK_SECONDS,
) -> None:
    """Raises StandsStill when `progress` (asked in a thread) stays the same for `still` seconds
    while `behind` says that there is more. A store that is away is no reason to end."""
    clock = asyncio.get_running_loop().time
    seen, since = None, clock()
    while True:
        await asyncio.sleep(look)
        try:
            now = await asyncio.to_thread(progress)
        except StoreUnavailable:
            since = clock()
            continue
        if now != seen or not behind():
            seen, since = now, clock()
        elif clock() - since > still:
            _log.error("stands_still", seconds=still)
            raise StandsStill(f"There is more to read, and nothing moved for {still:g} s.")


async def again_and_again(
    upkeep: Callable[[], object], every: float = _UPKEEP_SECONDS, retry: float = _LOOK_SECONDS
) -> None:
    """Do it at once, in a thread, and `every` so many seconds; sooner while a database is away."""
    while True:
        try:
            await asyncio.to_thread(upkeep)
        except (StoreUnavailable, KeysUnavailable) as error:
            _log.warning("upkeep_waits", reason=type(error).__name__)
            await asyncio.sleep(retry)
        else:
            await asyncio.sleep(every)
