"""Subjects' keys in a database of their own, wrapped by a master key that is not in it."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crm_events.keys.cache import Found, KeyCache
from crm_events.keys.master import MasterKey, fresh_keys
from crm_events.keys.port import ERASED, Erased, KeysUnavailable, SubjectErased
from crm_events.waiting import blocking

HEED_SECONDS: Final = 1.0
"""An erasure made by another process is obeyed after this time, once something is asked for."""

Rows = Mapping[UUID, bytes | None]
"""Wrapped keys by subject; None is a tombstone."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """When and why a key was destroyed."""

    erased_at: datetime
    reason: str


class KeyTable(ABC):
    """The table of keys in one database. Every call raises KeysUnavailable."""

    @abstractmethod
    def read(self, subjects: Iterable[UUID]) -> Rows: ...

    @abstractmethod
    def insert(self, rows: Mapping[UUID, bytes]) -> set[UUID]:
        """Durably; a subject that has a row keeps it. Answers those that had none."""

    @abstractmethod
    def bury(self, subject: UUID, reason: str) -> None:
        """A tombstone in place of the key, also where there was none; the first one stays."""

    @abstractmethod
    def buried_lately(self) -> set[UUID]:
        """Whose keys were destroyed in the last ten minutes of the database's clock: longer ago
        than any key is kept in memory."""

    @abstractmethod
    def tombstone(self, subject: UUID) -> Tombstone | None: ...

    @abstractmethod
    def empty(self) -> bool: ...

    @abstractmethod
    def schema_current(self) -> bool: ...

    @abstractmethod
    def close(self) -> None: ...


class SqlKeys:
    """`SubjectKeys` over a table. Thread-safe; what several threads lack is made in one go."""

    def __init__(self, table: KeyTable, master: MasterKey, cache: KeyCache | None = None) -> None:
        self._table = table
        self._master = master
        self._cache = cache or KeyCache()
        self._wanted: set[UUID] = set()
        self._wanted_lock = threading.Lock()
        self._one_at_a_time = threading.Lock()
        self._hearing = threading.Lock()
        self._heard_at = time.monotonic()

    def ensure(self, subjects: Iterable[UUID]) -> Mapping[UUID, bytes]:
        """Raises SubjectErased, KeysUnavailable."""
        self._heed_others()
        asked = set(subjects)
        found = self._cache.known(asked)
        if len(found) < len(asked):
            missing = asked - found.keys()
            found |= blocking(lambda: self._made(missing))
        return {subject: _living(subject, found[subject]) for subject in asked}

    def ciphers(self, subjects: Iterable[UUID]) -> Mapping[UUID, AESGCM]:
        """Raises SubjectErased, KeysUnavailable."""
        return self._cache.ciphers(self.ensure(subjects))

    def _made(self, missing: set[UUID]) -> dict[UUID, Found]:
        with self._wanted_lock:
            self._wanted |= missing
        with self._one_at_a_time:
            made_by_another = self._cache.known(missing)
            left = missing - made_by_another.keys()
            if not left:
                return made_by_another
            with self._wanted_lock:
                wanted, self._wanted = self._wanted | left, set()
            return made_by_another | self._make(wanted)

    def _make(self, subjects: set[UUID]) -> dict[UUID, Found]:
        rows = dict(self._table.read(subjects))
        if absent := subjects - rows.keys():
            return self._unwrapped(rows) | self._begun(absent)
        return self._unwrapped(rows)

    def _begun(self, absent: Collection[UUID]) -> dict[UUID, Found]:
        """Keys for those who had none; another process may have been first."""
        fresh = fresh_keys(absent)
        made = self._table.insert(self._master.wrap(fresh))
        found: dict[UUID, Found] = {subject: fresh[subject] for subject in made}
        self._cache.keep(found)
        if late := set(absent) - made:
            found |= self._unwrapped(self._table.read(late))
        return found

    def begin(self, subjects: Collection[UUID]) -> None:
        """Raises KeysUnavailable."""
        begun = self._begun(subjects)
        self._cache.ciphers({s: key for s, key in begun.items() if isinstance(key, bytes)})

    def find(self, subjects: Iterable[UUID]) -> Mapping[UUID, Found]:
        """Raises KeysUnavailable."""
        self._heed_others()
        asked = set(subjects)
        found = self._cache.known(asked)
        if len(found) < len(asked):
            missing = asked - found.keys()
            found |= self._unwrapped(self._table.read(missing))
        return found

    def _heed_others(self) -> None:
        """Hear, once a second at most, what other processes have erased. While the database does
        not answer, keys in memory grow old, which ends after five minutes."""
        if time.monotonic() - self._heard_at < HEED_SECONDS or not self._hearing.acquire(False):
            return
        try:
            self._cache.keep(dict.fromkeys(self._table.buried_lately(), ERASED))
        except KeysUnavailable:
            return
        finally:
            self._heard_at = time.monotonic()
            self._hearing.release()

    def _unwrapped(self, rows: Rows) -> dict[UUID, Found]:
        found: dict[UUID, Found] = {
            subject: ERASED if wrapped is None else self._master.unwrap(subject, wrapped)
            for subject, wrapped in rows.items()
        }
        self._cache.keep(found)
        return found

    def alive(self, subjects: Iterable[UUID]) -> set[UUID]:
        """Raises KeysUnavailable."""
        rows = self._table.read(subjects)
        return {subject for subject, wrapped in rows.items() if wrapped is not None}

    def erase(self, subject: UUID, reason: str = "erased") -> None:
        """Raises KeysUnavailable."""
        self._table.bury(subject, reason)
        self._cache.keep({subject: ERASED})

    def tombstone(self, subject: UUID) -> Tombstone | None:
        """Raises KeysUnavailable."""
        return self._table.tombstone(subject)

    def schema_current(self) -> bool:
        """Whether the key database is as this program needs it. Raises KeysUnavailable."""
        return self._table.schema_current()

    def close(self) -> None:
        self._table.close()


def _living(subject: UUID, key: Found) -> bytes:
    if isinstance(key, Erased):
        raise SubjectErased(subject)
    return key
