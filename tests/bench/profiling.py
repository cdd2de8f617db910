"""Where our side of a benchmark spends its time: CPU time of every thread, function by function."""

from __future__ import annotations

import cProfile
import pstats
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_LINES = 40


class Profiles:
    """One profile for each thread. Waiting costs nothing in them: the clock is the thread's own."""

    def __init__(self) -> None:
        self._made: list[cProfile.Profile] = []

    @contextmanager
    def watching(self) -> Iterator[None]:
        """This thread, and those that start meanwhile."""
        threading.setprofile(lambda *_: self._begin())
        self._begin()
        try:
            yield
        finally:
            threading.setprofile(None)
            self._made[0].disable()

    def _begin(self) -> None:
        """In a new thread the first call comes here; its profile then takes the place of this."""
        profile = cProfile.Profile(time.thread_time)
        self._made.append(profile)
        profile.enable()

    def tell(self) -> None:
        """Print the functions that took most themselves, and those that took most with all they
        called."""
        stats = pstats.Stats()
        for profile in self._made:
            with suppress(TypeError):  # a thread that did nothing
                stats.add(pstats.Stats(profile))
        stats.strip_dirs().sort_stats("tottime").print_stats(_LINES)
        stats.sort_stats("cumtime").print_stats(_LINES)
