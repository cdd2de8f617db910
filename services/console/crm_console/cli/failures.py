"""Errors to one sentence and an exit code: 1 it failed, 2 wrong use, 3 some rows were refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import typer
from crm_service.principals import Unguarded
from crm_service.serving import AddressTaken
from crm_service.settings import SettingsRefused
from crm_service.tokens import TokensUnreadable, UnknownToken

from crm_console.cli.output import say
from crm_console.home import HomeInUse, HomeUnusable
from crm_console.importing import FileRefused
from crm_console.settling import StillBehind
from crm_console.transport import ServerSaid, ServerUnreachable

FAILED: Final = 1
WRONG_USE: Final = 2
SOME_REFUSED: Final = 3

_WRONG_USE: Final = (FileRefused, SettingsRefused, Unguarded, UnknownToken)
_FAILED: Final = (
    HomeInUse,
    HomeUnusable,
    ServerUnreachable,
    StillBehind,
    AddressTaken,
    TokensUnreadable,
)
_CLIENT_ERRORS: Final = range(400, 500)


@contextmanager
def explained() -> Iterator[None]:
    """Say what went wrong in one sentence on standard error, and end with its exit code."""
    try:
        yield
    except _WRONG_USE as error:
        say(f"crm: {error}")
        raise typer.Exit(WRONG_USE) from None
    except _FAILED as error:
        say(f"crm: {error}")
        raise typer.Exit(FAILED) from None
    except ServerSaid as error:
        say(f"crm: {error}")
        raise typer.Exit(WRONG_USE if error.status in _CLIENT_ERRORS else FAILED) from None
    except KeyboardInterrupt:
        say("crm: interrupted; what was answered is kept.")
        raise typer.Exit(FAILED) from None
