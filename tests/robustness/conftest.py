from __future__ import annotations

from collections.abc import Iterator

import pytest
from crm_console.home import Home

from tests.robustness.speaking import Speaking, home_spoken_to
from tests.support import logs


@pytest.fixture(scope="package", autouse=True)
def silent_logs() -> Iterator[None]:
    logs.silent()
    yield
    logs.plain()


@pytest.fixture(scope="package")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Speaking]:
    """All five services over SQLite, following each other, for the tests of the package."""
    with home_spoken_to(Home(tmp_path_factory.mktemp("robust") / "home")) as speaking:
        yield speaking
