"""`python -m crm_contacts serve`: picks the role a process plays, and says so when it cannot."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from crm_service.principals import Unguarded
from crm_service.process import OK, WRONG_USE
from crm_service.serving import AddressTaken
from crm_service.settings import SettingsRefused
from crm_service.tokens import TokensUnreadable

_REMEDIED: Final = (AddressTaken, SettingsRefused, TokensUnreadable, Unguarded)
"""Errors whose message is all that the person who started the process needs."""


@dataclass(frozen=True, slots=True)
class Role:
    """One thing a service can be started as. `run` answers the exit code; None stands for 0."""

    help: str
    run: Callable[[], int | None]


def main(argv: Sequence[str], roles: Mapping[str, Role], *, program: str, about: str) -> int:
    """Play the role that the first argument names; answers the exit code.

    2 means that the arguments or the environment make no sense: the reason is on standard error.
    """
    chosen = _parser(roles, program, about).parse_args(argv).role
    try:
        code = roles[chosen].run()
    except _REMEDIED as error:
        sys.stderr.write(f"{program} {chosen}: {error}\n")
        return WRONG_USE
    return OK if code is None else code


def _parser(roles: Mapping[str, Role], program: str, about: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(program, description=about)
    commands = parser.add_subparsers(dest="role", metavar="ROLE", required=True)
    for name, role in roles.items():
        commands.add_parser(name, help=role.help, description=role.help)
    return parser
