"""The lock of the one relay as a server keeps it: it can be lost without its holder's noticing."""

from __future__ import annotations

from pathlib import Path

from crm_events.store.sqlite_files import Leadership


class Lock:
    def __init__(self) -> None:
        self.holder: SimLeadership | None = None


class SimLeadership(Leadership):
    """Believes that it leads until it asks again."""

    def __init__(self, path: Path, lock: Lock) -> None:
        super().__init__(path)
        self._lock = lock
        self._believes = False

    @property
    def held(self) -> bool:
        return self._believes

    def take(self) -> bool:
        self.leave()
        if self._lock.holder is not None:
            return False
        self._lock.holder, self._believes = self, True
        return True

    def leave(self) -> None:
        self._believes = False
        self.lose()

    def lose(self) -> None:
        """The server lets go of it; whoever held it goes on as before."""
        if self._lock.holder is self:
            self._lock.holder = None
