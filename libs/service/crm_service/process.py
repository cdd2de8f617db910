"""One process from its start to its end: signals, the time a drain may take, exit codes."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from threading import Timer
from typing import Final

import structlog
import uvloop

GRACE_SECONDS: Final = 8
"""What is begun gets this long after SIGTERM; the process is gone two seconds later at most."""
OK: Final = 0
FAILED: Final = 1
WRONG_USE: Final = 2
log = structlog.get_logger(__name__)
Main = Callable[[asyncio.Event], Awaitable[int]]


def run(main: Main) -> int:
    """Run a process's one coroutine; it gets an event that SIGTERM or SIGINT sets.

    Ten seconds after the signal the process ends itself, whatever still runs: a database that hangs
    keeps threads busy for ever, and nothing that was acknowledged is lost by it.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_stoppable(main))


async def _stoppable(main: Main) -> int:
    stop = asyncio.Event()
    last_moment = Timer(GRACE_SECONDS + 2, _end)
    last_moment.daemon = True

    def stopping(number: signal.Signals) -> None:
        if not stop.is_set():
            log.info("stopping", signal=number.name)
            last_moment.start()
            stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping, number)
    return await main(stop)


def _end() -> None:
    log.error("drain_took_too_long", seconds=GRACE_SECONDS + 2)
    os._exit(FAILED)
