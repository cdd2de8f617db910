"""The file of the key that signs checkpoints: PEM, as `openssl genpkey -algorithm ed25519` writes.

A private key in it signs. Public keys in it are believed besides: those of keys that were replaced.
A file of public keys alone lets a process check and sign nothing.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from crm_events.audit.note import Verifier, public_bytes

_BLOCK: Final = re.compile(
    rb"-----BEGIN (PRIVATE|PUBLIC) KEY-----.*?-----END \1 KEY-----", re.DOTALL
)
_PRIVATE_FILE: Final = 0o600


class KeyFileRefused(Exception):
    """The key file cannot be used; the message says which, and what to do."""


@dataclass(frozen=True, slots=True)
class AuditKeys:
    """Who signs, if anybody here may, and whose signatures are believed."""

    signer: Ed25519PrivateKey | None
    trusted: tuple[bytes, ...]

    def verifiers(self, origin: str) -> tuple[Verifier, ...]:
        """The keys under a log's name, the one that signs first."""
        return tuple(Verifier(origin, public) for public in self.trusted)


def read_keys(path: Path) -> AuditKeys:
    """Raises KeyFileRefused."""
    try:
        blocks = [(match[1], match[0]) for match in _BLOCK.finditer(path.read_bytes())]
    except OSError as error:
        raise KeyFileRefused(
            f"The key of checkpoints, {path}, cannot be read ({error.strerror}); restore it from "
            "your backup, or name another in CRM_AUDIT_KEY_FILE."
        ) from error
    private = [_private(path, text) for kind, text in blocks if kind == b"PRIVATE"]
    public = [_public(path, text) for kind, text in blocks if kind == b"PUBLIC"]
    if len(private) > 1 or not blocks:
        raise KeyFileRefused(
            f"{path} must hold one Ed25519 key in PEM; `openssl genpkey -algorithm ed25519` makes "
            "one, and the public keys of earlier ones may follow it."
        )
    ours = [public_bytes(key) for key in private]
    return AuditKeys(private[0] if private else None, (*ours, *public))


def _private(path: Path, text: bytes) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(text, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileRefused(f"{path} holds a private key that is damaged or not Ed25519.")
    return key


def _public(path: Path, text: bytes) -> bytes:
    try:
        key = load_pem_public_key(text)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise KeyFileRefused(f"{path} holds a public key that is damaged or not Ed25519.")
    return key.public_bytes_raw()


def make_key(path: Path) -> None:
    """A new key in a new file that only its owner may read. Raises FileExistsError, OSError."""
    text = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(path, flags, _PRIVATE_FILE), "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def public_pem(public: bytes) -> str:
    """As other tools take it."""
    key = Ed25519PublicKey.from_public_bytes(public)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
