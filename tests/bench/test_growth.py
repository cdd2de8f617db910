"""A history of the size that was asked for, measured for as long as there is time."""

from __future__ import annotations

from pathlib import Path

import pytest
from crm_events.contracts.pipeline import DealLost, DealWon, OrderPlaced

from tests.bench.growth import picture, running
from tests.bench.growth.history import TURN, History
from tests.bench.growth.stepping import Size
from tests.bench.report import NothingMeasured
from tests.bench.stores import sqlite_store_in


def size(events: int, funnel_ms: float | None = 12.0) -> Size:
    return Size(events, 9_000, 4_000, 90, funnel_ms, 8, 70, 20, 16, 1_234, 2_345, 150, 160, 2)


def test_a_history_grows_to_what_was_asked(tmp_path: Path) -> None:
    with sqlite_store_in(tmp_path, "pipeline") as store:
        history = History(store)
        for asked in (2 * TURN, 8 * TURN):
            history.grow_to(asked)
            assert asked <= history.events < asked + TURN
        stored = store.recorder.read_log(0, 10 * TURN).envelopes
        assert len(stored) == history.events
        kinds = [envelope.type for envelope in stored]
        assert kinds.count(OrderPlaced.TYPE) == pytest.approx(history.events / 2, rel=0.1)
        assert {DealWon.TYPE, DealLost.TYPE} < set(kinds)


def test_sizes_are_powers_of_ten_and_the_most() -> None:
    assert running.sizes(1_000_000) == [10_000, 100_000, 1_000_000]
    assert running.sizes(3_000_000) == [10_000, 100_000, 1_000_000, 3_000_000]


def test_what_would_take_too_long_is_not_begun(capsys: pytest.CaptureFixture[str]) -> None:
    clock = iter(range(0, 1_000, 10))
    wanted = [10, 100, 100_000]
    found = list(running.within(wanted, size, 10_000, lambda: float(next(clock))))
    assert [each.events for each in found] == [10, 100]
    assert "100,000 events not run" in capsys.readouterr().out


def test_measurements_come_back_as_they_were(tmp_path: Path) -> None:
    running.write([size(10), size(100, None)], tmp_path / "growth.json")
    assert running.read(tmp_path / "growth.json") == [size(10), size(100, None)]


def test_nothing_measured_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(NothingMeasured, match="--growth"):
        running.read(tmp_path / "growth.json")


def test_a_table_tells_what_took_too_long() -> None:
    table = picture.markdown([size(10_000), size(1_000_000, None)])
    assert "| 10,000 | 9,000 | 4,000 | 90 | 12 |" in table
    assert "| 1,000,000 | 9,000 | 4,000 | 90 | over 60 s |" in table
