"""Where a context's tables are, and whether they are there as this program needs them."""

from __future__ import annotations

import re
from typing import Final

from crm_events.sql.migrating import Scripts

SCRIPTS: Final = Scripts("crm_events.store:migrations", "0001")

_NAMES: Final = re.compile(r"[a-z][a-z0-9_]{0,30}")


class BadName(ValueError):
    """A namespace or a context that cannot be part of a schema's name."""


def schema_name(namespace: str, context: str) -> str:
    """The PostgreSQL schema of one context of one deployment."""
    for name in (namespace, context):
        if _NAMES.fullmatch(name) is None:
            raise BadName(
                f"{name!r} cannot name a schema; use up to 31 lower-case letters, digits and _, "
                "beginning with a letter."
            )
    return f"{namespace}_{context}"
