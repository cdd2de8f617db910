"""Which application a command speaks to: a server, or the home's own inside this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crm_service.logging import configure

from crm_console.embedded.host import Embedded
from crm_console.embedded.settings import embedded_settings
from crm_console.home import Home, HomeInUse
from crm_console.transport import InProcess, OverHttp, Transport

DEFAULT_HOME: Final = ".crm"


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
    return Target(Home(home or Path(DEFAULT_HOME)), server or None, token or None)


@contextmanager
def opened(target: Target) -> Iterator[Transport]:
    """Something to send requests to: the named server, who holds the home, or the home itself.

    Raises HomeInUse when another command holds the home and serves nobody.
    """
    if target.server is not None:
        with OverHttp(target.server, target.token) as transport:
            yield transport
        return
    holder = target.home.holder()
    if holder is not None and holder.address is not None:
        with OverHttp(holder.address, target.token) as transport:
            yield transport
        return
    if holder is not None:
        raise HomeInUse(
            f"{target.home.path} is in use by process {holder.pid}; wait for it to end, or give "
            "another folder with --home."
        )
    embedded = Embedded(target.home, embedded_settings())
    with target.home.held(), _logged(target.home), InProcess(embedded) as transport:
        yield transport


@contextmanager
def _logged(home: Home) -> Iterator[None]:
    """The log of the application goes to a file: standard output is the command's own."""
    with (home.path / "crm.log").open("a", encoding="utf-8") as stream:
        configure(embedded_settings().log_level, stream)
        yield
