"""The only reader of the environment here."""

import os
from collections.abc import Mapping


def named(variable: str) -> str | None:
    """The address that CRM_KAFKA or CRM_POSTGRES gives; empty counts as not given."""
    return os.environ.get(variable) or None


def forced_source() -> str | None:
    """CRM_SERVERS: environment, docker or wheel."""
    return os.environ.get("CRM_SERVERS") or None


def with_ours(more: Mapping[str, str]) -> dict[str, str]:
    """What a child process is handed: this process's environment and `more`."""
    return {**os.environ, **more}
