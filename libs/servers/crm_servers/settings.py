"""The only reader of the environment here."""

import os
from collections.abc import Mapping

from crm_servers.errors import ServerUnavailable


def named(variable: str) -> str | None:
    """The address that CRM_KAFKA or CRM_POSTGRES gives; empty counts as not given."""
    return os.environ.get(variable) or None


def forced_source() -> str | None:
    """CRM_SERVERS: environment, docker or wheel."""
    return os.environ.get("CRM_SERVERS") or None


def with_ours(more: Mapping[str, str]) -> dict[str, str]:
    """What a child process is handed: this process's environment and `more`."""
    return {**os.environ, **more}


def up_form() -> str | None:
    """CRM_UP: docker or processes."""
    return os.environ.get("CRM_UP") or None


def up_port() -> int:
    """CRM_UP_PORT, where the gateway listens; 8080 by default. Raises ServerUnavailable."""
    text = os.environ.get("CRM_UP_PORT") or "8080"
    if not text.isdecimal() or not 0 < int(text) < 65_536:
        raise ServerUnavailable(f"CRM_UP_PORT={text} is no port; set it to one from 1 to 65535")
    return int(text)
