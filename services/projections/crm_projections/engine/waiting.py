"""Reading your own writes: wait, bounded, until a view has taken what a command wrote."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from crm_events.catalogue import CONTEXTS
from crm_events.feed.port import Lane
from crm_events.feed.store import lanes_of
from crm_events.partitions import PARTITIONS

from crm_projections.engine.position import LaneState, complete_to

POLL_SECONDS: Final = 0.05
_TOKEN: Final = re.compile(r"([a-z]+)/(\*|\d{1,4})/(\d{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Token:
    """A position to wait for: of one partition, or of every partition where that is None."""

    context: str
    partition: int | None
    sequence: int


def parse_token(text: str) -> Token:
    """`pipeline/3/1234`, or `pipeline/*/1234` for all up to 1234. Raises ValueError."""
    found = _TOKEN.fullmatch(text.strip())
    if found is None or found[1] not in CONTEXTS:
        raise ValueError("send a position such as pipeline/3/1234 or pipeline/*/1234")
    partition = None if found[2] == "*" else int(found[2])
    if partition is not None and partition >= PARTITIONS:
        raise ValueError(f"partitions are numbered 0 to {PARTITIONS - 1}")
    return Token(found[1], partition, int(found[3]))


def reached(states: Mapping[Lane, LaneState], token: Token) -> bool:
    """Whether a view whose rows are `states` has taken everything that the token names."""
    if token.partition is None:
        return complete_to(states, lanes_of([token.context]))[token.context] >= token.sequence
    state = states.get(Lane(token.context, token.partition))
    return state is not None and max(state.sequence, state.complete_to) >= token.sequence


class Bell:
    """Rung when views of this process have moved. Thread-safe; may be waited for in any loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rings = 0
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    @property
    def rings(self) -> int:
        return self._rings

    def ring(self) -> None:
        with self._lock:
            self._rings += 1
            waiting, self._waiting = self._waiting, set()
        for loop, event in waiting:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    async def heard(self, since: int, timeout: float) -> None:
        """Returns when the bell has rung more than `since` times, or after `timeout` seconds."""
        waiter = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            if self._rings != since:
                return
            self._waiting.add(waiter)
        try:
            async with asyncio.timeout(timeout):
                await waiter[1].wait()
        except TimeoutError:
            pass
        finally:
            with self._lock:
                self._waiting.discard(waiter)


async def wait_for(
    read: Callable[[], Mapping[Lane, LaneState]],
    tokens: Collection[Token],
    timeout: float,
    bell: Bell,
) -> bool:
    """Whether everything named was taken within `timeout` seconds.

    Woken at once by a runner of this process; one of another process is seen by polling.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    while True:
        since = bell.rings
        states = await asyncio.to_thread(read)
        if all(reached(states, token) for token in tokens):
            return True
        remaining = deadline - loop.time()
        if remaining <= 0:
            return False
        await bell.heard(since, min(remaining, POLL_SECONDS))
