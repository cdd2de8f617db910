"""Which application a command speaks to: a server, or the home's own inside this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import typer

from crm_console.cli.output import say
from crm_console.home import Home
from crm_console.transport import Connection, OverHttp, ServerSaid

DEFAULT_HOME: Final = ".crm"
_OUR_FAULT: Final = 500


@dataclass(frozen=True, slots=True)
class Target:
    """What the global options and the environment say."""

    home: Home
    server: str | None
    token: str | None

    @property
    def name(self) -> str:
        """The server's address, or the folder."""
        return self.server or str(self.home.path.resolve())


def target_of(home: Path | None, server: str | None, token: str | None) -> Target:
    """What the options say, and the folder ./.crm where they say nothing."""
    if server:
        _refuse_no_address(server)
    return Target(Home(home or Path(DEFAULT_HOME)), server or None, token or None)


def _refuse_no_address(server: str) -> None:
    try:
        url = httpx.URL(server)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise typer.BadParameter(
            f"{server!r} is no address of a server; give one such as http://localhost:8000"
        )


@contextmanager
def opened(target: Target) -> Iterator[Connection]:
    """Something to send requests to: the named server, who holds the home, or the home itself.

    Raises HomeInUse when another command holds the home and serves nobody.
    """
    holder = target.home.holder() if target.server is None else None
    address = holder.address if holder is not None else target.server
    if address is not None:
        with OverHttp(address, target.token, say) as transport:
            yield transport
    elif holder is not None:
        raise target.home.in_use_by(holder)
    else:
        with target.home.held(), _inside(target.home) as transport:
            yield transport


@contextmanager
def _inside(home: Home) -> Iterator[Connection]:
    # Whoever speaks to a server is spared the second that importing the application takes.
    from crm_console.embedded.inside import inside, local_settings, logged  # noqa: PLC0415

    settings = local_settings()
    with logged(home, settings) as log, inside(home, settings) as transport:
        try:
            yield transport
        except ServerSaid as said:
            if said.status >= _OUR_FAULT:
                say(f"The log is {log}")
            raise
