"""What the codec asks of a key database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final, Protocol
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class SubjectErased(Exception):
    """A key was asked for whose subject has been erased; it is never made again."""

    def __init__(self, subject: UUID) -> None:
        super().__init__(f"Subject {subject} has been erased; nothing personal can be kept for it.")
        self.subject = subject


class KeysUnavailable(Exception):
    """The key database cannot be reached: whoever reads must wait, not show blanks."""


class Erased:
    """Stands for the key of an erased subject."""


ERASED: Final = Erased()


class SubjectKeys(Protocol):
    """Symmetric keys (32 bytes) of data subjects. Every call raises KeysUnavailable."""

    def ensure(self, subjects: Iterable[UUID]) -> Mapping[UUID, bytes]:
        """A key for every subject, durably stored before it is answered. Raises SubjectErased."""

    def ciphers(self, subjects: Iterable[UUID]) -> Mapping[UUID, AESGCM]:
        """As `ensure`, ready to seal with."""
        return {subject: AESGCM(key) for subject, key in self.ensure(subjects).items()}

    def begin(self, subjects: Collection[UUID]) -> None:
        """As `ensure`, for ids that nobody has had: they are not looked for first."""

    def find(self, subjects: Iterable[UUID]) -> Mapping[UUID, bytes | Erased]:
        """The keys that exist, and ERASED where one was destroyed; unknown subjects are absent."""

    def erase(self, subject: UUID, reason: str = "erased") -> None:
        """Destroy the key and leave a tombstone; repeating it changes nothing."""

    def alive(self, subjects: Iterable[UUID]) -> set[UUID]:
        """Those whose key exists and is not destroyed, as the database itself says."""
