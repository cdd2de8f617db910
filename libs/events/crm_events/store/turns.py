"""Callers hand their work to a writing thread and wait: so that many share one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from queue import Empty, SimpleQueue
from typing import Final, Generic, TypeVar

from crm_events.store.port import StoreUnavailable
from crm_events.waiting import Latch

W = TypeVar("W")
R = TypeVar("R")

_LIMIT: Final = 10_000


class Turn(Generic[W, R]):
    """One caller's work."""

    __slots__ = ("_error", "_result", "_settled", "given_up", "work")

    def __init__(self, work: W) -> None:
        self.work = work
        self.given_up = False
        self._settled = Latch()
        self._result: R | None = None
        self._error: BaseException | None = None

    @staticmethod
    def succeed_all(turns: Sequence[Turn[W, R]], results: Iterable[R]) -> None:
        for turn, result in zip(turns, results, strict=True):
            turn._result = result
        Latch.open_all(turn._settled for turn in turns)

    def succeed(self, result: R) -> None:
        self.succeed_all([self], [result])

    def fail(self, error: BaseException) -> None:
        self._error = error
        Latch.open_all([self._settled])

    def wait(self, seconds: float) -> R:
        """What became of it. Raises what the work raised, or StoreUnavailable."""
        if not self._settled.wait(seconds):
            self.given_up = True
            raise StoreUnavailable(
                f"The database did not answer within {seconds:.0f} s; it is unknown whether this "
                "was written: send the same command again."
            )
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]


class Inbox(Generic[W, R]):
    """Turns in the order they came; bounded, since a longer queue only makes everybody time out."""

    def __init__(self, limit: int = _LIMIT) -> None:
        self._queue: SimpleQueue[Turn[W, R] | None] = SimpleQueue()
        self._limit = limit
        self._closed = False

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    def put(self, turn: Turn[W, R]) -> None:
        """Raises StoreUnavailable when full or closed."""
        if self._closed:
            raise StoreUnavailable("The store has been closed.")
        if self.waiting >= self._limit:
            raise StoreUnavailable("Too many commands are waiting to be written; try again soon.")
        self._queue.put(turn)

    def take(self) -> Turn[W, R] | None:
        """The next turn, waiting for one; None once closed."""
        return self._next(block=True)

    def take_now(self) -> Turn[W, R] | None:
        """The next turn if there is one."""
        return self._next(block=False)

    def _next(self, *, block: bool) -> Turn[W, R] | None:
        while True:
            try:
                turn = self._queue.get(block)
            except Empty:
                return None
            if turn is None:
                self._queue.put(None)  # whoever takes next finds it closed too
                return None
            if not turn.given_up:
                return turn

    def close(self) -> None:
        """Whoever waits already is still served."""
        self._closed = True
        self._queue.put(None)
