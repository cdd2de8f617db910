"""Waiting without a thread: plain code called on an event loop is left where it waits, and gone on
with when that is over.

Threads of one interpreter take it from each other at every wait, which cost a command more than all
that it decides; see docs/adr/0024. What waits for something outside says so here, and behaves as
ever where it was not called by `on_loop`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from threading import Lock
from typing import Any, TypeVar

from anyio.to_thread import run_sync
from greenlet import getcurrent, greenlet

T = TypeVar("T")


class _Errand(greenlet):
    """Runs plain code; what it switches to its parent is to be awaited for it."""


async def on_loop(work: Callable[[], T]) -> T:
    """What `work` answers or raises. It runs on this thread until it waits, and holds no lock then
    that another would wait for."""
    caller = getcurrent()
    errand = _Errand(work, caller)
    errand.gr_context = caller.gr_context
    waits_for = errand.switch()
    while not errand.dead:
        try:
            came = await waits_for
        except BaseException as error:  # noqa: BLE001 (`work` says what becomes of it)
            waits_for = errand.throw(error)
        else:
            waits_for = errand.switch(came)
    return waits_for  # type: ignore[no-any-return]


def is_on_loop() -> bool:
    """Whether the caller was called by `on_loop`, and may not block its thread."""
    return isinstance(getcurrent(), _Errand)


def until(over: Awaitable[T]) -> T:
    """What is awaited. Only for who is on a loop."""
    return getcurrent().parent.switch(over)  # type: ignore[union-attr,no-any-return]


def blocking(work: Callable[[], T]) -> T:
    """Work that keeps its thread waiting: another thread, where the caller's is the loop's."""
    return until(run_sync(work)) if is_on_loop() else work()


class Latch:
    """Is waited for once and opened once, by whatever thread."""

    __slots__ = ("_closed", "_sleeper")

    def __init__(self) -> None:
        self._closed = Lock()  # the cheapest thing in Python to wait for once
        self._closed.acquire()
        self._sleeper: asyncio.Future[None] | None = None

    def wait(self, seconds: float) -> bool:
        """Whether it was opened in time."""
        if not is_on_loop():
            return self._closed.acquire(timeout=seconds)
        self._sleeper = asyncio.get_running_loop().create_future()
        # Opened before the sleeper was there to be woken, it is open now.
        return self._closed.acquire(blocking=False) or self._slept(self._sleeper, seconds)

    def _slept(self, sleeper: asyncio.Future[None], seconds: float) -> bool:
        late = sleeper.get_loop().call_later(seconds, _wake, [sleeper])
        try:
            until(sleeper)
        finally:
            late.cancel()
        return self._closed.acquire(blocking=False)

    @staticmethod
    def open_all(latches: Iterable[Latch]) -> None:
        """A loop is woken once for all of them: that costs more than what it is woken for. The loop
        that this is called on need not be woken."""
        sleepers = dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]]()
        for latch in latches:
            latch._closed.release()
            if latch._sleeper is not None:
                sleepers.setdefault(latch._sleeper.get_loop(), []).append(latch._sleeper)
        here = asyncio._get_running_loop()
        for loop, woken in sleepers.items():
            if loop is here:
                _wake(woken)
                continue
            with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
                loop.call_soon_threadsafe(_wake, woken)


def _wake(sleepers: Iterable[asyncio.Future[Any]]) -> None:
    for sleeper in sleepers:
        if not sleeper.done():
            sleeper.set_result(None)
