"""Loading without snapshots stays cheap; docs/adr/0007 says what follows when it does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from crm_events.application import ContextApplication
from crm_events.codec import Codec
from crm_events.domain import Aggregate
from crm_events.store.sqlite import SqliteRecorder

from tests.events.domain.long_streams import KINDS, saved, seconds
from tests.support.keys import KeysInMemory

SECONDS_ALLOWED = 0.025


@pytest.fixture
def app(tmp_path: Path) -> Iterator[ContextApplication]:
    recorder = SqliteRecorder(tmp_path / "streams.db")
    yield ContextApplication(recorder, Codec(KeysInMemory()))
    recorder.close()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_four_hundred_events_load_without_a_snapshot(
    app: ContextApplication, kind: type[Aggregate]
) -> None:
    id = saved(app, KINDS[kind](400))
    assert app.load(kind, id).version == 400
    assert seconds(app, kind, id) < SECONDS_ALLOWED
