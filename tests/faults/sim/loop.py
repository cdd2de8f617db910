"""An event loop whose clock jumps to whatever is due next, and whose threads are steps of it.

Work for a thread runs in the loop's own thread at a moment drawn from a seed, as one step that
nothing interrupts. Between two steps a part can be frozen or killed: what it had not done by then
never happens.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, Final

_LATENCY: Final = 0.004
_STEPS_PER_INSTANT: Final = 200_000


class Killed(Exception):
    """The part that asked is dead; nothing of what it asks for is done."""


class Stuck(Exception):
    """Nothing is due any more, or time does not pass: the run would never end."""


@dataclass(eq=False)
class Part:
    """One program of the run, with what it waits for. A killed part never lives again."""

    name: str
    frozen: bool = False
    dead: bool = False
    waiting: list[Callable[[], None]] = field(default_factory=list)
    pending: set[asyncio.Future[Any]] = field(default_factory=set)
    task: asyncio.Task[None] | None = None


CURRENT: ContextVar[Part | None] = ContextVar("part", default=None)


class _Instantly(selectors.DefaultSelector):
    """Waits for nothing: the time that would be waited is said to have passed."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> Any:
        found = super().select(0)
        if not found:
            self.loop.passes(timeout)
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    """`chance` decides how long each step takes, in milliseconds of virtual time."""

    def __init__(self, chance: Random) -> None:
        self._passed = 0.0
        self._steps = 0
        self._chance = chance
        selector = _Instantly()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self._passed

    def passes(self, seconds: float | None) -> None:
        """Raises Stuck where nothing lies ahead."""
        if seconds is None:
            raise Stuck("nothing is due any more")
        self._steps = self._steps + 1 if seconds == 0 else 0
        if self._steps > _STEPS_PER_INSTANT:
            raise Stuck("time does not pass")
        self._passed += seconds

    # --- steps ---

    def run_in_executor(  # type: ignore[override]
        self,
        executor: Any,  # noqa: ARG002
        func: Callable[..., Any],
        *args: Any,
    ) -> asyncio.Future[Any]:
        """The work is done at some moment from now, and heard of at a later one."""
        return self.step(lambda: func(*args))

    def step(self, work: Callable[[], Any]) -> asyncio.Future[Any]:
        """The same, for fakes. It belongs to the part that asks."""
        part, answer = CURRENT.get(), self.create_future()
        if part is not None and part.dead:
            answer.set_exception(Killed(part.name))
            return answer
        if part is not None:
            part.pending.add(answer)
            answer.add_done_callback(part.pending.discard)
        self._in_a_while(part, lambda: self._do(part, work, answer))
        return answer

    def _do(self, part: Part | None, work: Callable[[], Any], answer: asyncio.Future[Any]) -> None:
        if answer.done():
            return
        try:
            hear = partial(_answer, answer, work(), None)
        except Exception as error:  # noqa: BLE001 - whoever asked must hear of it
            hear = partial(_answer, answer, None, error)
        self._in_a_while(part, hear)

    def _in_a_while(self, part: Part | None, act: Callable[[], object]) -> None:
        self.call_later(self._chance.random() * _LATENCY, self._unless_stopped, part, act)

    def _unless_stopped(self, part: Part | None, act: Callable[[], object]) -> None:
        if part is not None and part.dead:
            self._bury(part)
        elif part is not None and part.frozen:
            part.waiting.append(lambda: self._unless_stopped(part, act))
        else:
            act()

    # --- parts ---

    def begin(self, part: Part, work: Coroutine[Any, Any, None]) -> None:
        token = CURRENT.set(part)
        part.task = self.create_task(work)
        CURRENT.reset(token)

    def thaw(self, part: Part) -> None:
        part.frozen = False
        waiting, part.waiting = part.waiting, []
        for act in waiting:
            self.call_soon(act)

    def kill(self, part: Part) -> None:
        """As kill -9 does: what it would still do on its way out is done to nothing."""
        part.dead = True
        self._bury(part)
        if part.task is not None:
            self.run_until_complete(_end(part))

    def _bury(self, part: Part) -> None:
        for answer in list(part.pending):
            if not answer.done():
                answer.set_exception(Killed(part.name))

    def let(self, seconds: float) -> None:
        """Everything goes on for so long."""
        self.run_until_complete(asyncio.sleep(seconds))


def _answer(answer: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if answer.done():
        return
    if error is None:
        answer.set_result(result)
    else:
        answer.set_exception(error)


async def _end(part: Part) -> None:
    assert part.task is not None
    while not part.task.done():
        part.task.cancel()
        await asyncio.wait({part.task}, timeout=0.05)
    with suppress(asyncio.CancelledError, Exception):
        part.task.exception()
