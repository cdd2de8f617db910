from collections.abc import Iterator
from pathlib import Path

import pytest
from crm_projections.engine.database import Database, postgres_database, sqlite_database
from crm_projections.engine.generation import migrate

from tests.projections.rig import Rig


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database for views, of both kinds."""
    if request.param == "sqlite":
        opened = sqlite_database(tmp_path / "views.db")
    else:
        opened = postgres_database(request.getfixturevalue("postgres_database"), "t")
    migrate(opened)
    yield opened
    opened.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    opened = sqlite_database(tmp_path / "views.db")
    migrate(opened)
    yield opened
    opened.close()


@pytest.fixture
def rig(database: Database) -> Iterator[Rig]:
    made = Rig(database)
    yield made
    made.stop()


@pytest.fixture
def light_rig(sqlite: Database) -> Iterator[Rig]:
    """For what does not depend on the kind of database."""
    made = Rig(sqlite)
    yield made
    made.stop()
