from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from crm_console.home import Home
from crm_console.transport import OverHttp

from tests.console.homes import Crm, Office, serving, settings, tell
from tests.support import logs


@pytest.fixture(scope="package", autouse=True)
def silent_logs() -> Iterator[None]:
    logs.silent()
    yield
    logs.plain()


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """A command sends the logs to a file of its home, and is gone before the next test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logs.silent()


@pytest.fixture(scope="package")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A home with a little of everything in it, served for the tests of the package."""
    home = Home(tmp_path_factory.mktemp("office") / "home")
    with serving(home, settings()) as address:
        with OverHttp(address) as transport:
            tell(transport)
        yield Office(home, address)


@pytest.fixture
def crm(office: Office) -> Crm:
    """The command on the office's home; it finds out by itself that the home is served."""
    return Crm.on(office.home)
