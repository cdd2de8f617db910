"""Fakes of the SubjectKeys port."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from uuid import UUID

from crm_events.keys.port import ERASED, Erased, KeysUnavailable, SubjectErased


class FakeSubjectKeys:
    """Keys derived from the subject's id, kept in memory; `reachable` plays an outage."""

    def __init__(self) -> None:
        self.reachable = True
        self._keys: dict[UUID, bytes | Erased] = {}

    def ensure(self, subjects: Iterable[UUID]) -> Mapping[UUID, bytes]:
        return {subject: self._ensured(subject) for subject in subjects}

    def _ensured(self, subject: UUID) -> bytes:
        key = self._keys.setdefault(subject, sha256(subject.bytes).digest())
        if isinstance(key, Erased):
            raise SubjectErased(subject)
        return key

    def find(self, subjects: Iterable[UUID]) -> Mapping[UUID, bytes | Erased]:
        if not self.reachable:
            raise KeysUnavailable
        return {subject: self._keys[subject] for subject in subjects if subject in self._keys}

    def erase(self, subject: UUID) -> None:
        self._keys[subject] = ERASED
