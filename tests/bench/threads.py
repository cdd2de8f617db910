"""Callers that do the same thing at once, as fast as they are let."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Done:
    """How often, and in how many seconds from the first beginning to the last end."""

    times: int
    seconds: float

    @property
    def rate(self) -> float:
        return self.times / self.seconds


def sustained(work: Callable[[], object], threads: int, seconds: float) -> Done:
    """Each of the threads repeats the work until the time is over. Raises what the work raises."""
    ready = threading.Barrier(threads + 1)

    def repeat() -> int:
        ready.wait()
        end, times = time.perf_counter() + seconds, 0
        while time.perf_counter() < end:
            work()
            times += 1
        return times

    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(repeat) for _ in range(threads)]
        ready.wait()
        started = time.perf_counter()
        times = sum(future.result() for future in futures)
        return Done(times, time.perf_counter() - started)
