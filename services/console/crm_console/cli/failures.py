"""Errors to one sentence and an exit code: 1 failed, 2 wrong use, 3 refused rows or
found wrong, 130 interrupted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import typer

from crm_console.causes import NoSuchEvent
from crm_console.cli.following import JobFailed
from crm_console.cli.output import say
from crm_console.erasing.finding import SubjectUnknown
from crm_console.files import WrongPlace
from crm_console.home import HomeInUse, HomeUnusable
from crm_console.ids import NoId
from crm_console.importing import FileRefused
from crm_console.policies import PolicyUnreadable
from crm_console.reports import NoCitation
from crm_console.settling import StillBehind
from crm_console.things import NotThereThen
from crm_console.transport import ServerSaid, ServerUnreachable
from crm_console.undoing import NothingCorrelated

FAILED: Final = 1
WRONG_USE: Final = 2
SOME_REFUSED: Final = 3
FOUND_WRONG: Final = 3
INTERRUPTED: Final = 130

_FAILED: Final = (JobFailed, HomeInUse, HomeUnusable, ServerUnreachable, StillBehind)
_REFUSED: Final = (
    NothingCorrelated,
    FileRefused,
    NoSuchEvent,
    NoId,
    NoCitation,
    NotThereThen,
    PolicyUnreadable,
    SubjectUnknown,
    WrongPlace,
)
_PASSED_ON: Final = (typer.Exit, typer.BadParameter, BrokenPipeError)
_CLIENT_ERRORS: Final = range(400, 500)


NOTHING: Final[Mapping[str, str]] = {}
_OPTIONS: Final = {
    "as_of": "--as-of",
    "known_at": "--known-at",
    **{name: f"--{name}" for name in ("from", "to", "by", "key", "figure", "row")},
}
"""How most commands call parameters of the API."""


@contextmanager
def explained(called: Mapping[str, str] = NOTHING) -> Iterator[None]:
    """Say what went wrong in one sentence on standard error, and end with its exit code; `called`
    is how this command calls what the API names otherwise."""
    try:
        yield
    except KeyboardInterrupt as stopped:
        say(f"crm: interrupted; {str(stopped) or 'what was answered is kept.'}")
        raise typer.Exit(INTERRUPTED) from None
    except Exception as error:
        code = _code_of(error)
        if code is None:
            raise
        told = error.told({**_OPTIONS, **called}) if isinstance(error, ServerSaid) else error
        say(f"crm: {told}")
        raise typer.Exit(code) from None


def _code_of(error: Exception) -> int | None:
    """The exit code of an error whose message is all that a person needs."""
    if isinstance(error, _PASSED_ON):
        return None
    if isinstance(error, _REFUSED):
        return WRONG_USE
    if isinstance(error, (*_FAILED, OSError)):
        return FAILED
    if isinstance(error, ServerSaid):
        return WRONG_USE if error.status in _CLIENT_ERRORS else FAILED
    # Only who failed pays for importing what the rest of the application may raise.
    from crm_console.cli.inner_failures import FAILURES, REFUSALS  # noqa: PLC0415

    if isinstance(error, REFUSALS):
        return WRONG_USE
    return FAILED if isinstance(error, FAILURES) else None
