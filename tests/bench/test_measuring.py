"""The harness: sides in turns, ratios of rounds, choosing, and nothing made up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.bench.catalogue import BENCHES
from tests.bench.ground import Ground
from tests.bench.measuring import Bench, NotDone, Sides, chosen, figures, interleaved


@contextmanager
def _never(_: Ground) -> Iterator[Sides]:
    yield Sides(lambda: 1.0, lambda: 1.0)


def bench(id: str) -> Bench:
    return Bench(id, "one / other", "events/s", _never)


def test_sides_take_turns_after_preparation() -> None:
    happened: list[str] = []

    def side(name: str) -> float:
        happened.append(name)
        return 1.0

    sides = Sides(lambda: side("ours"), lambda: side("baseline"), lambda: happened.append("before"))
    interleaved(sides, 2, lambda *_: None)
    assert happened == ["before", "baseline", "ours"] * 2


def test_with_several_turns_neither_side_is_always_the_first_and_the_mean_counts() -> None:
    order: list[str] = []
    rates = {"ours": iter([10.0, 30.0]), "baseline": iter([5.0, 7.0])}

    def side(name: str) -> float:
        order.append(name)
        return next(rates[name])

    sides = Sides(lambda: side("ours"), lambda: side("baseline"), turns=2)
    assert interleaved(sides, 1, lambda *_: None) == [(20.0, 6.0)]
    assert order == ["baseline", "ours", "ours", "baseline"]


def test_what_takes_minutes_takes_few_rounds() -> None:
    long = Bench("R0", "one / other", "events/s", _never, most_rounds=2)
    assert [long.rounds(5), long.rounds(1), bench("R0").rounds(5)] == [2, 1, 5]


def test_ratio_is_the_median_of_the_rounds_ratios() -> None:
    found = figures(bench("R0"), [(10, 10), (30, 10), (40, 80)])
    assert (found.ours, found.baseline) == (30, 10)
    assert (found.ratio, found.ratio_min, found.ratio_max, found.runs) == (1, 0.5, 3, 3)


def test_a_side_that_did_nothing_has_no_ratio() -> None:
    with pytest.raises(NotDone):
        figures(bench("R0"), [(10, 10), (0, 10)])


def test_a_beginning_chooses_its_family() -> None:
    benches = [bench("R2-1"), bench("R2-8"), bench("R20")]
    assert [b.id for b in chosen(benches, ["R2"])] == ["R2-1", "R2-8"]
    assert chosen(benches, []) == benches


def test_an_unknown_name_is_told_what_there_is() -> None:
    with pytest.raises(LookupError, match="choose among R2-1"):
        chosen([bench("R2-1")], ["R3"])


def test_every_benchmark_has_an_id_of_its_own() -> None:
    ids = [b.id for b in BENCHES]
    assert len(set(ids)) == len(ids)
    assert {"R1", "R2-1", "R2-8", "R5", "R8", "import"} <= set(ids)
