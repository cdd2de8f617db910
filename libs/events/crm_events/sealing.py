"""The text that stands for a personal value in stored bytes.

`~1.<subject>.<base64url(nonce + ciphertext)>`: AES-256-GCM under the subject's key, bound to the
place it was written to, so that it cannot be moved. `<subject>` is the subject's id in hexadecimal.
"""

from __future__ import annotations

import os
import re
from base64 import urlsafe_b64encode
from binascii import a2b_base64
from collections.abc import Iterator
from functools import lru_cache
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SEALED_PATTERN: Final = r"^~1\.[0-9a-f]{32}\.[A-Za-z0-9_-]+={0,2}$"
_MARK: Final = "~1."
_SUBJECT: Final = slice(3, 35)
_SEALED: Final = slice(36, None)
NONCE_BYTES: Final = 12
_SUBJECTS_IN_JSON: Final = re.compile(rb'"~1\.([0-9a-f]{32})\.')
_NAMED_IN_JSON: Final = re.compile(
    rb'"(?:customer|person)_id":"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"'
)
_uuid = lru_cache(maxsize=65_536)(UUID)


class BrokenSeal(ValueError):
    """Not a sealed value, or one that was altered, moved, or sealed under another key."""


def nonces(count: int) -> list[bytes]:
    """So many, drawn at once: every draw lets other threads run first."""
    return sliced(os.urandom(count * NONCE_BYTES), NONCE_BYTES)


def sliced(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def sealed(cipher: AESGCM, subject: UUID, text: str, bound_to: bytes, nonce: bytes) -> str:
    """`nonce` is of `nonces`, and was used for nothing else."""
    token = urlsafe_b64encode(nonce + cipher.encrypt(nonce, text.encode(), bound_to))
    return f"{_MARK}{subject.hex}.{token.decode()}"


def subject_of(token: object) -> UUID:
    """Whose key opens it. Raises BrokenSeal, also for a value left in plain text."""
    if not isinstance(token, str) or not token.startswith(_MARK) or token[35:36] != ".":
        raise BrokenSeal("not sealed")
    try:
        return _uuid(token[_SUBJECT])
    except ValueError:
        raise BrokenSeal("sealed for nobody") from None


def opened(cipher: AESGCM, token: str, bound_to: bytes) -> str:
    """The text, where it was sealed under this key at this place. Raises BrokenSeal."""
    plain64 = token[_SEALED].replace("-", "+").replace("_", "/")
    try:
        data = a2b_base64(plain64, strict_mode=True)
        return cipher.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], bound_to).decode()
    except (InvalidTag, ValueError):
        raise BrokenSeal("fails its seal") from None


def subjects_in(data: bytes) -> Iterator[UUID]:
    """The subjects of all sealed values in stored bytes, without reading the event."""
    return (_uuid(found.decode()) for found in _SUBJECTS_IN_JSON.findall(data))


def subjects_named(data: bytes) -> set[bytes]:
    """The people and customers that stored bytes are about, as 16 bytes each: every sealed value
    belongs to one of them, or to the thing itself."""
    return {bytes.fromhex(id.replace(b"-", b"").decode()) for id in _NAMED_IN_JSON.findall(data)}
