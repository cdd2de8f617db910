"""Commands that arrive at a fixed rate, whatever becomes of whom they come to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from crm_events.ids import new_id

from tests.bench.measuring import NotDone
from tests.bench.wire import Wire

_SENDERS: Final = 4


class Arrivals:
    """Orders placed over HTTP, each at its own time: one that waits delays no other for long, for
    four connections take turns. Raises NotDone at the end where any was refused."""

    def __init__(self, port: int, rate: float) -> None:
        self._port = port
        self._rate = rate
        self._turn = threading.Lock()
        self._begun = 0
        self._over = threading.Event()
        self._error: Exception | None = None
        self._started = 0.0
        self.answered = 0

    @property
    def failed(self) -> bool:
        return self._error is not None

    @property
    def seconds(self) -> float:
        """Since they began to arrive."""
        return time.monotonic() - self._started

    @contextmanager
    def arriving(self) -> Iterator[None]:
        started = self._started = time.monotonic()
        threads = [threading.Thread(target=self._send, args=(started,)) for _ in range(_SENDERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join()
        if self._error is not None:
            raise NotDone(f"a command was not answered: {self._error}")

    def _send(self, started: float) -> None:
        try:
            with Wire(self._port) as wire:
                while not self._over.wait(self._until_next(started)):
                    wire.post("/v1/pipeline/orders", _order(), str(new_id()))
                    self._count()
        except Exception as error:  # noqa: BLE001 (raised in the thread that waits)
            self._error = error

    def _until_next(self, started: float) -> float:
        with self._turn:
            self._begun += 1
            due = started + self._begun / self._rate
        return max(0.0, due - time.monotonic())

    def _count(self) -> None:
        with self._turn:
            self.answered += 1


def _order() -> dict[str, object]:
    total = {"amount": "19.90", "currency": "EUR"}
    return {"customer_id": str(new_id()), "total": total, "source": "bench", "region": "north"}


def waited(holds: Callable[[], bool], what: str, seconds: float, pause: float = 0.02) -> None:
    """Returns as soon as it holds. Raises NotDone after so many seconds."""
    deadline, rest = time.monotonic() + seconds, threading.Event()
    while not holds():
        if time.monotonic() > deadline:
            raise NotDone(f"waited {seconds:.0f} s in vain: {what}")
        rest.wait(pause)
