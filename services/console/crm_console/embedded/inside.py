"""The application of a home inside this process, for the person at this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crm_service.logging import configure
from crm_service.settings import ServiceSettings

from crm_console.embedded.host import Embedded
from crm_console.embedded.settings import embedded_settings
from crm_console.home import Home
from crm_console.transport import Connection, InProcess


def local_settings(settings: ServiceSettings | None = None) -> ServiceSettings:
    """What holds while nobody else can connect, wherever a server would listen."""
    told = settings or embedded_settings()
    return told.model_copy(update={"host": "127.0.0.1", "require_token": False})


@contextmanager
def inside(home: Home, settings: ServiceSettings) -> Iterator[Connection]:
    """The home's application, started; hold the home while it runs. Raises HomeUnusable."""
    with InProcess(Embedded(home, settings)) as transport:
        yield transport


@contextmanager
def logged(home: Home, settings: ServiceSettings, file: Path | None = None) -> Iterator[Path]:
    """The application's log goes to this file: standard output is the command's own."""
    place = file or home.path / "crm.log"
    with place.open("a", encoding="utf-8") as stream:
        configure(settings.log_level, stream)
        yield place
