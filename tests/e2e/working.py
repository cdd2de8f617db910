"""One deployment of either form at work: the same command and the same HTTP to both."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crm_console.embedded.inside import logged
from crm_console.home import Home
from crm_console.settling import settle
from crm_console.transport import Connection, OverHttp
from crm_events.catalogue import CONTEXTS
from crm_events.clock import utc_now

from tests.console.homes import Crm, serving, settings
from tests.e2e.conftest import Deployment
from tests.e2e.roles import Roles
from tests.e2e.speaking import speaking
from tests.support import logs
from tests.support.commanding import Done
from tests.support.waiting import wait_until

CURRENCY = "USD"
VIEWS = ("funnel", "satisfaction", "retention")
_MARK_SECONDS = 60


@dataclass(frozen=True)
class Work:
    """`crm` is the real command, run inside this process; `transport` is any other client."""

    form: str
    folder: Path
    crm: Crm
    transport: Connection

    def say(self, path: str, **body: Any) -> Any:
        """The answer of a command of the API."""
        return self.transport.send("POST", f"/v1/{path}", body=body)

    def settle(self) -> None:
        settle(self.transport)

    def ok(self, *arguments: str | Path) -> Done:
        """What a command left that has to end well."""
        done = self.crm(*arguments)
        assert done.code == 0, (arguments, done.err, done.out)
        return done

    def json(self, *arguments: str | Path) -> Any:
        return self.ok(*arguments, "-o", "json").json

    def known_for_good(self) -> str:
        """A time at which everything until now was known, by a mark of every view."""
        self.settle()
        now = utc_now().isoformat()

        def marked() -> bool:
            return all(self.crm.view(v, "--known-at", now)["citable"] for v in VIEWS)

        wait_until(marked, "a mark", _MARK_SECONDS)
        return utc_now().isoformat()

    def documents(self) -> Mapping[str, Any]:
        """What the API of each context says of itself."""
        if self.form == "embedded":
            return {c: self.transport.send("GET", f"/openapi/{c}.json") for c in CONTEXTS}
        return {context: self._document(context) for context in CONTEXTS}

    def _document(self, context: str) -> Any:
        """The gateway does not lead there."""
        address = Roles(self.folder).address(f"{context}-api")
        with speaking(address, self.crm.environment["CRM_TOKEN"]) as client:
            return client.get("/openapi.json").raise_for_status().json()


@contextmanager
def at_work(deployment: Deployment) -> Iterator[Work]:
    """The embedded form is served by a thread meanwhile, which spares each command a start."""
    if deployment.form == "embedded":
        with served_home(Home(deployment.folder)) as (crm, transport):
            yield Work(deployment.form, deployment.folder, crm, transport)
        return
    told = deployment.crm.environment
    with OverHttp(told["CRM_SERVER"], told["CRM_TOKEN"]) as transport:
        yield Work(deployment.form, deployment.folder, Crm((), told), transport)


@contextmanager
def served_home(home: Home) -> Iterator[tuple[Crm, Connection]]:
    """Its log goes into the home, as with `crm serve`."""
    told = settings(currency=CURRENCY)
    home.path.mkdir(mode=0o700, exist_ok=True)
    with (
        _logs_as_before(),
        logged(home, told),
        serving(home, told) as address,
        OverHttp(address) as transport,
    ):
        yield Crm.on(home), transport


@contextmanager
def _logs_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logs.plain()
