"""Matching of names as people write them: ignoring case, width and spaces, without storing them."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata


def folded(name: str) -> str:
    """`GTXPro`, `GTX Pro` and `gtx  pro` are one name; what cannot be seen does not count."""
    text = "".join(unicodedata.normalize("NFKC", name).casefold().split())
    return text if text.isascii() else _visible(text)


def _visible(text: str) -> str:
    """Without byte order marks, zero-width and soft characters that copying brings along."""
    seen = (letter for letter in text if unicodedata.category(letter) != "Cf")
    return unicodedata.normalize("NFKC", "".join(seen))


def name_key(secret: bytes, kind: str, name: str) -> bytes:
    """A blind index: equal names have equal keys, and no key tells its name."""
    return hmac.new(secret, f"{kind}\x1f{folded(name)}".encode(), hashlib.sha256).digest()[:16]
