"""The text that stands for a personal value in stored bytes.

`~1.<subject>.<base64url(nonce + ciphertext)>`: AES-256-GCM under the subject's key, bound to the
place it was written to, so that it cannot be moved. `<subject>` is the subject's id in hexadecimal.
"""

from __future__ import annotations

import os
import re
from binascii import a2b_base64, a2b_hex, b2a_base64
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crm_events.ids import uuid_of

SEALED_PATTERN: Final = r"^~1\.[0-9a-f]{32}\.[A-Za-z0-9_-]+={0,2}$"
_MARK: Final = "~1."
_SUBJECT: Final = slice(3, 35)
_SEALED: Final = slice(36, None)
NONCE_BYTES: Final = 12
_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")
_SUBJECTS_IN_JSON: Final = re.compile(rb'"~1\.([0-9a-f]{32})\.')
_NAMED_IN_JSON: Final = re.compile(
    rb'"(?:customer|person)_id":"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"'
)
_uuid = lru_cache(maxsize=65_536)(UUID)


@lru_cache(maxsize=65_536)
def _found(name: bytes) -> UUID:
    return uuid_of(a2b_hex(name))


class BrokenSeal(ValueError):
    """Not a sealed value, or one that was altered, moved, or sealed under another key."""


def nonces(count: int) -> list[bytes]:
    """So many, drawn at once: every draw lets other threads run first."""
    return sliced(os.urandom(count * NONCE_BYTES), NONCE_BYTES)


def sliced(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def sealer(cipher: AESGCM, subject: UUID) -> Callable[[str, bytes, bytes], str]:
    """Seals texts for one subject: takes a text, what it is bound to, and one of `nonces` that was
    used for nothing else."""
    encrypt, begins = cipher.encrypt, f"{_MARK}{subject.hex}."

    def sealed(text: str, bound_to: bytes, nonce: bytes) -> str:
        token = b2a_base64(nonce + encrypt(nonce, text.encode(), bound_to), newline=False)
        return begins + token.translate(_URL_SAFE).decode()

    return sealed


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


def subjects_in(data: Iterable[bytes]) -> set[UUID]:
    """The subjects of all sealed values in stored bytes, without reading the events."""
    return {_found(name) for each in data for name in set(_SUBJECTS_IN_JSON.findall(each))}


def subjects_named(data: bytes) -> set[bytes]:
    """The people and customers that stored bytes are about, as 16 bytes each: every sealed value
    belongs to one of them, or to the thing itself."""
    return {bytes.fromhex(id.replace(b"-", b"").decode()) for id in _NAMED_IN_JSON.findall(data)}
