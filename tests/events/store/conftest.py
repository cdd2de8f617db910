"""The two adapters under one name, one of them in two ways, each test on a store of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from crm_events.store.open import migrate, open_recorder
from crm_events.store.port import EventRecorder
from crm_events.store.postgres import PostgresRecorder
from crm_events.store.sqlite import SqliteRecorder

from tests.events.store.on_a_loop import RecorderOnLoop

Opener = Callable[[], EventRecorder]


def forms(*names: str) -> Any:
    """The fixture that says what `place` and `opened` are."""

    @pytest.fixture(params=names)
    def form(request: pytest.FixtureRequest) -> str:
        return str(request.param)

    return form


form = forms("sqlite", "postgres", "postgres on a loop")


@pytest.fixture
def place(form: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if form == "sqlite":
        return str(tmp_path / "contacts.db")
    return str(request.getfixturevalue("postgres_dsn"))


@pytest.fixture
def opened(form: str, place: str, namespace: str) -> Iterator[Opener]:
    """Opens the test's store, as another process would if it is open already."""
    if place.startswith("postgresql"):
        migrate(place, namespace, "contacts")
    recorders: list[EventRecorder] = []

    def open_one() -> EventRecorder:
        on_loop = form.endswith("loop")
        recorders.append(
            RecorderOnLoop(place, f"{namespace}_contacts")
            if on_loop
            else open_recorder(place, namespace, "contacts")
        )
        return recorders[-1]

    yield open_one
    for recorder in recorders:
        recorder.close()


@pytest.fixture
def recorder(opened: Opener) -> EventRecorder:
    return opened()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[SqliteRecorder]:
    recorder = SqliteRecorder(tmp_path / "contacts.db")
    yield recorder
    recorder.close()


@pytest.fixture
def schema(postgres_dsn: str, namespace: str) -> str:
    migrate(postgres_dsn, namespace, "contacts")
    return f"{namespace}_contacts"


@pytest.fixture
def postgres_store(postgres_dsn: str, schema: str) -> Iterator[PostgresRecorder]:
    recorder = PostgresRecorder(postgres_dsn, schema)
    yield recorder
    recorder.close()
