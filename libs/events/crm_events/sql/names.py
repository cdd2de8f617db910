"""Names of schemas, and which database an address speaks of."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_NAMES: Final = re.compile(r"[a-z][a-z0-9_]{0,30}")


class BadName(ValueError):
    """A namespace or a context that cannot be part of a schema's name."""


def schema_name(namespace: str, owner: str) -> str:
    """The PostgreSQL schema of one owner (a context, the keys) in one deployment."""
    for name in (namespace, owner):
        if _NAMES.fullmatch(name) is None:
            raise BadName(
                f"{name!r} cannot name a schema; use up to 31 lower-case letters, digits and _, "
                "beginning with a letter."
            )
    return f"{namespace}_{owner}"


def is_postgres(place: str | Path) -> bool:
    return str(place).startswith(("postgresql://", "postgres://"))
