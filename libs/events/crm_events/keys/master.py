"""The master key: it wraps every subject's key and lies in a file of its own, never beside them."""

from __future__ import annotations

import os
import secrets
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crm_events.keys.port import KeysUnavailable
from crm_events.sealing import NONCE_BYTES, nonces, sliced

KEY_BYTES: Final = 32
_FORM: Final = b"\x01"  # AES-256-GCM; another form of wrapping gets another number


class MasterKeyMissing(Exception):
    """There are keys, and what they are wrapped with cannot be found or is not a key."""


class MasterKey:
    """Wraps keys so that each is bound to its subject and cannot be moved to another."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise MasterKeyMissing(f"A master key has {KEY_BYTES} bytes, this one {len(secret)}.")
        self._cipher = AESGCM(secret)

    def wrap(self, keys: Mapping[UUID, bytes]) -> dict[UUID, bytes]:
        """Each subject's."""
        encrypt = self._cipher.encrypt
        return {
            subject: _FORM + nonce + encrypt(nonce, key, _bound_to(subject))
            for (subject, key), nonce in zip(keys.items(), nonces(len(keys)), strict=True)
        }

    def unwrap(self, subject: UUID, wrapped: bytes) -> bytes:
        """Raises KeysUnavailable where it was wrapped with another master key: readers must wait
        for the right one, not show blanks."""
        nonce, sealed = wrapped[1 : 1 + NONCE_BYTES], wrapped[1 + NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, sealed, _bound_to(subject))
        except InvalidTag:
            raise KeysUnavailable(
                f"The key of subject {subject} was wrapped with another master key; put back the "
                "master key file that belongs to this key database."
            ) from None


def fresh_keys(subjects: Collection[UUID]) -> dict[UUID, bytes]:
    drawn = sliced(secrets.token_bytes(KEY_BYTES * len(subjects)), KEY_BYTES)
    return dict(zip(subjects, drawn, strict=True))


def _bound_to(subject: UUID) -> bytes:
    return b"crm-subject-key|" + subject.bytes


def read_master_key(path: Path) -> MasterKey:
    """Raises MasterKeyMissing."""
    try:
        return MasterKey(b64decode(path.read_bytes(), validate=False))
    except FileNotFoundError:
        raise MasterKeyMissing(
            f"The master key file {path} is not there; restore it from your backup. Without it the "
            "personal values in the stores cannot be read."
        ) from None
    except ValueError as error:
        raise MasterKeyMissing(f"{path} does not hold a master key: {error}") from error


def make_master_key(path: Path) -> None:
    """Writes a new one, readable by its owner only; one that is there already stays."""
    handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=".master-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        Path(fresh).unlink()
