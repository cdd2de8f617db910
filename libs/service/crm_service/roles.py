"""`python -m crm_contacts serve`: picks the role a process plays, and says so when it cannot."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from crm_events.keys.port import KeysUnavailable
from crm_events.sql.reaching import OutOfReach
from crm_events.store.port import StoreUnavailable

from crm_service.collector import spare_the_collector
from crm_service.logging import configure
from crm_service.principals import Unguarded
from crm_service.process import FAILED, OK, WRONG_USE
from crm_service.serving import AddressTaken
from crm_service.settings import SettingsRefused
from crm_service.tokens import TokensUnreadable

log = structlog.get_logger(__name__)
_REMEDIED: Final = (AddressTaken, SettingsRefused, TokensUnreadable, Unguarded)
"""Errors whose message is all that the person who started the process needs."""


@dataclass(frozen=True, slots=True)
class Role:
    """One thing a service can be started as. `run` answers the exit code; None stands for 0."""

    help: str
    run: Callable[[], int | None]


def main(argv: Sequence[str], roles: Mapping[str, Role], *, program: str, about: str) -> int:
    """Play the role that the first argument names; answers the exit code.

    2 means that the arguments or the environment make no sense, 1 that a database cannot be reached
    or the work failed: the reason is on standard error.
    """
    spare_the_collector()
    configure()
    chosen = _parser(roles, program, about).parse_args(argv).role
    try:
        return roles[chosen].run() or OK
    except _REMEDIED as error:
        reason, code = str(error), WRONG_USE
    except Exception as error:
        log.exception("role_failed", role=chosen)
        reason, code = _reason(error), FAILED
    sys.stderr.write(f"{program} {chosen}: {reason}\n")
    return code


def _reason(error: Exception) -> str:
    """What may be shown: messages of drivers quote addresses and passwords."""
    if isinstance(error, StoreUnavailable | KeysUnavailable):
        return "the database cannot be reached; see CRM_POSTGRES and CRM_KEYS."
    if isinstance(error, OutOfReach):
        return str(error)
    return f"failed with {type(error).__name__}; the log on standard output says where."


def _parser(roles: Mapping[str, Role], program: str, about: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(program, description=about)
    commands = parser.add_subparsers(dest="role", metavar="ROLE", required=True)
    for name, role in roles.items():
        commands.add_parser(name, help=role.help, description=role.help)
    return parser
