"""Matching of names as people write them: ignoring case, width and spaces, without storing them."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata


def folded(name: str) -> str:
    """`GTXPro`, `GTX Pro` and `gtx  pro` are one name."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def name_key(secret: bytes, kind: str, name: str) -> bytes:
    """A blind index: equal names have equal keys, and no key tells its name."""
    return hmac.new(secret, f"{kind}\x1f{folded(name)}".encode(), hashlib.sha256).digest()[:16]
