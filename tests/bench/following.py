"""A reader that follows a log while it is written, and the proof that it saw everything once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from tests.bench.measuring import NotDone

Read = Callable[[int], tuple[Sequence[int], int]]
"""The positions in the log beyond the given one, and up to where that is complete."""
_PAUSE = 0.02


class Follower:
    """Reads on from `after` every 20 ms, as a relay would, and keeps the positions it was given."""

    def __init__(self, read: Read, after: int) -> None:
        self.seen: list[int] = []
        self._read = read
        self._at = after
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="follower")
        self._error: Exception | None = None

    @contextmanager
    def following(self) -> Iterator[None]:
        """While something writes; reads to the end before it leaves."""
        self._thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            self._thread.join()
        if self._error is not None:
            raise self._error

    def _follow(self) -> None:
        try:
            while not self._stopping.wait(_PAUSE):
                self._step()
            while self._step():
                pass
        except Exception as error:  # noqa: BLE001 (raised in the thread that waits)
            self._error = error

    def _step(self) -> bool:
        positions, to = self._read(self._at)
        self.seen += positions
        moved, self._at = to > self._at, max(to, self._at)
        return moved


def compared(seen: Sequence[int], stored: Sequence[int]) -> str:
    """That a follower saw what is stored, in order and once each. Raises NotDone otherwise."""
    if list(seen) == list(stored):
        return f"{len(stored):,} events followed while they were written: 0 gaps, 0 repeats"
    missing, extra = set(stored) - set(seen), len(seen) - len(set(seen))
    raise NotDone(
        f"of {len(stored):,} events {len(missing):,} were never seen by a follower, {extra:,} were "
        f"seen twice, and {len(set(seen) - set(stored)):,} are not there; or they came out of order"
    )
