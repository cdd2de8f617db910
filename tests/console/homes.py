"""Homes in folders of the test: inside this process, served to others, and commanded."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

import uvloop
from crm_console.cli.root import app
from crm_console.embedded.host import Embedded
from crm_console.embedded.inside import inside
from crm_console.embedded.served import served_home
from crm_console.home import Home
from crm_console.sample.plot import Plot, Size
from crm_console.sample.story import Story
from crm_console.settling import settle
from crm_console.transport import Connection, OverHttp, Transport
from crm_service.serving import listen, served
from crm_service.settings import ServiceSettings
from typer.testing import CliRunner

from tests.support.commanding import Done

TODAY: Final = datetime(2026, 6, 30, 12, tzinfo=UTC)
SMALL: Final = Size(days=90, leads=6, responses=5, deals=12, tickets=14, customers=10)
CONTEXTS: Final = ("contacts", "pipeline", "ticketing", "campaigns")
_SECONDS: Final = 60.0
_NOTHING_ELSE: Final[Mapping[str, str | None]] = dict.fromkeys(
    f"CRM_{name}"
    for name in ("HOME", "SERVER", "TOKEN", "HOST", "PORT", "TOKENS_FILE", "CURRENCY", "TIMEZONE")
)


def settings(**told: Any) -> ServiceSettings:
    """For this machine, in euros and UTC, whatever the environment says."""
    usual = {"host": "127.0.0.1", "currency": "EUR", "timezone": "UTC", "require_token": False}
    return ServiceSettings(**{**usual, **told})


@contextmanager
def opened(home: Home) -> Iterator[Connection]:
    """The home's application inside this process."""
    with home.held(), inside(home, settings()) as transport:
        yield transport


def heads(transport: Transport) -> dict[str, int]:
    """How long each context's log is."""
    return {name: transport.send("GET", f"/v1/{name}/position")["sequence"] for name in CONTEXTS}


def tell(transport: Transport, seed: int = 7, size: Size = SMALL) -> int:
    """Tell a sample of a fixed day; how many steps it told of."""
    steps: list[int] = []
    Story(transport, Plot(seed, TODAY, size.days, "EUR"), size, steps.append).tell()
    return sum(steps)


@dataclass(frozen=True)
class Office:
    """A served home, and where it answers."""

    home: Home
    address: str


@contextmanager
def serving(home: Home, told: ServiceSettings) -> Iterator[str]:
    """The home served on a port of its own by a thread, as `crm serve` does; its address."""
    loop, stop, ready = uvloop.new_event_loop(), asyncio.Event(), threading.Event()

    async def run() -> None:
        listener = listen("127.0.0.1", 0)
        async with served(served_home(Embedded(home, told)), listener):
            home.say(f"http://127.0.0.1:{listener.getsockname()[1]}")
            ready.set()
            await stop.wait()

    with home.held():
        thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
        thread.start()
        try:
            assert ready.wait(_SECONDS), "the home was not served in time"
            holder = home.holder()
            assert holder is not None
            yield str(holder.address)
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()
            loop.close()


@dataclass(frozen=True)
class Crm:
    """The command, run inside this process with these options before its own."""

    options: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def on(cls, home: Home, **environment: str) -> Self:
        return cls(("--home", str(home.path)), environment)

    def __call__(self, *arguments: str | Path) -> Done:
        told = {**_NOTHING_ELSE, "CRM_CURRENCY": "EUR", **self.environment}
        result = CliRunner().invoke(
            app, [*self.options, *map(str, arguments)], env=told, prog_name="crm"
        )
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Done(result.exit_code, result.stdout, result.stderr)

    def view(self, name: str, *arguments: str) -> Any:
        """A view's answer, which has to come."""
        done = self("view", name, *arguments, "-o", "json")
        assert done.code == 0, done.err
        return done.json


class Faltering:
    """A transport that fails as it is told to, before anything is sent."""

    def __init__(self, inner: Transport, failing: Callable[[str], Exception | None]) -> None:
        self._inner = inner
        self._failing = failing

    def send(self, method: str, path: str, **said: Any) -> Any:
        failure = self._failing(path)
        if failure is not None:
            raise failure
        return self._inner.send(method, path, **said)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...


def heads_of(office: Office) -> dict[str, int]:
    with OverHttp(office.address) as transport:
        settle(transport)
        return heads(transport)
