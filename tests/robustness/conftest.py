from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog
from crm_console.home import Home

from tests.robustness.speaking import Speaking, home_spoken_to


def _silent() -> None:
    """The default of structlog draws every traceback in colours, which takes seconds."""
    nothing = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=nothing, cache_logger_on_first_use=False)


@pytest.fixture(scope="package", autouse=True)
def silent_logs() -> Iterator[None]:
    _silent()
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="package")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Speaking]:
    """All five services over SQLite, following each other, for the tests of the package."""
    with home_spoken_to(Home(tmp_path_factory.mktemp("robust") / "home")) as speaking:
        yield speaking
