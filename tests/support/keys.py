"""SubjectKeys that forget everything with the test."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping
from threading import Lock
from uuid import UUID

from crm_events.keys.port import ERASED, Erased, KeysUnavailable, SubjectErased, SubjectKeys


class KeysInMemory(SubjectKeys):
    """Keeps the port's promises; `reachable = False` cuts it off."""

    def __init__(self) -> None:
        self.reachable = True
        self._keys: dict[UUID, bytes | Erased] = {}
        self._lock = Lock()

    def ensure(self, subjects: Iterable[UUID]) -> Mapping[UUID, bytes]:
        found: dict[UUID, bytes] = {}
        with self._reached():
            for subject in subjects:
                key = self._keys.setdefault(subject, secrets.token_bytes(32))
                if isinstance(key, Erased):
                    raise SubjectErased(subject)
                found[subject] = key
        return found

    def begin(self, subjects: Collection[UUID]) -> None:
        self.ensure(subjects)

    def find(self, subjects: Iterable[UUID]) -> Mapping[UUID, bytes | Erased]:
        with self._reached():
            return {subject: self._keys[subject] for subject in subjects if subject in self._keys}

    def alive(self, subjects: Iterable[UUID]) -> set[UUID]:
        found = self.find(subjects)
        return {subject for subject, key in found.items() if not isinstance(key, Erased)}

    def erase(self, subject: UUID, reason: str = "erased") -> None:
        del reason
        with self._reached():
            self._keys[subject] = ERASED

    def _reached(self) -> Lock:
        if not self.reachable:
            raise KeysUnavailable("out of reach")
        return self._lock
