"""Keys kept in memory for a while, so that a busy reader does not ask for each event."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final
from uuid import UUID

from crm_events.keys.port import ERASED, Erased

FIVE_MINUTES: Final = 300.0
"""An erasure made by another process is obeyed after this time at the latest, also while nobody
can be asked what was erased."""

Found = bytes | Erased


class KeyCache:
    """Bounded; the oldest go first. `lifetime` in seconds, at most five minutes. Thread-safe."""

    def __init__(
        self,
        lifetime: float = FIVE_MINUTES,
        most: int = 100_000,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lifetime = min(lifetime, FIVE_MINUTES)
        self._most = most
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._entries: dict[UUID, tuple[float, Found]] = {}

    def known(self, subjects: Iterable[UUID]) -> dict[UUID, Found]:
        now, found = self._monotonic(), dict[UUID, Found]()
        for subject in subjects:
            entry = self._entries.get(subject)
            if entry is not None and entry[0] > now:
                found[subject] = entry[1]
        return found

    def keep(self, found: Mapping[UUID, Found]) -> None:
        """An erasure stays, whatever was read from the database before it."""
        until = self._monotonic() + self._lifetime
        with self._lock:
            for subject, key in found.items():
                earlier = self._entries.pop(subject, None)
                erased = earlier is not None and isinstance(earlier[1], Erased)
                self._entries[subject] = (until, ERASED if erased else key)
            while len(self._entries) > self._most:
                del self._entries[next(iter(self._entries))]
