"""Keys kept in memory for a while, so that a busy reader does not ask for each event."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crm_events.keys.port import ERASED, Erased

FIVE_MINUTES: Final = 300.0
"""An erasure made by another process is obeyed after this time at the latest, also while nobody
can be asked what was erased."""

Found = bytes | Erased
_MOST_CIPHERS: Final = 2_048
"""Each takes 2.5 KiB."""


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
        self._ciphers: dict[UUID, tuple[bytes, AESGCM]] = {}

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
                if isinstance(key, Erased):
                    self._ciphers.pop(subject, None)
            _trim(self._entries, self._most)

    def ciphers(self, keys: Mapping[UUID, bytes]) -> dict[UUID, AESGCM]:
        """What seals under keys of this cache. The latest are kept: made one by one, between other
        work, each takes as long as all that is then sealed with it."""
        return {subject: self._cipher(subject, key) for subject, key in keys.items()}

    def _cipher(self, subject: UUID, key: bytes) -> AESGCM:
        kept = self._ciphers.get(subject)
        if kept is not None and kept[0] is key:
            return kept[1]
        cipher = AESGCM(key)
        with self._lock:
            entry = self._entries.get(subject)
            if entry is not None and entry[1] is key:  # not erased meanwhile
                self._ciphers[subject] = (key, cipher)
                _trim(self._ciphers, _MOST_CIPHERS)
        return cipher


def _trim(entries: dict[UUID, Any], most: int) -> None:
    while len(entries) > most:
        del entries[next(iter(entries))]
