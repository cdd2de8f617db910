"""Each thing that may not grow is seen when it does; a bound that nothing breaks is none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.faults.bounds import Standing, bounds
from tests.faults.evidence import Evidence
from tests.faults.invariants import check
from tests.faults.soak import steepest

BEFORE = Standing(
    memory={"contacts-api": 100.0, "projections-views": 120.0},
    files={"contacts-api": 20, "projections-views": 30},
    connections=12,
    tables={"soak_contacts.events": 2.0, "soak_views.facts": 1.5, "soak_views.lanes": 0.1},
)


def broken(after: Standing) -> list[str]:
    """What of it I9 complains about."""
    return check(Evidence(bounds=bounds(BEFORE, after)))["I9"].examples


def test_same_again_is_within_every_bound() -> None:
    assert broken(BEFORE) == []


@pytest.mark.parametrize(
    ("after", "what"),
    [
        (replace(BEFORE, memory={**BEFORE.memory, "contacts-api": 151.0}), "MiB of contacts-api"),
        (replace(BEFORE, files={**BEFORE.files, "projections-views": 55}), "files of projections"),
        (replace(BEFORE, connections=37), "connections to PostgreSQL"),
        (
            replace(BEFORE, tables={**BEFORE.tables, "soak_views.facts": 2.3}),
            "MiB of table soak_views.facts",
        ),
        (replace(BEFORE, tables={**BEFORE.tables, "soak_views.facts_g2": 0.1}), "tables"),
    ],
)
def test_what_grew_is_seen_alone(after: Standing, what: str) -> None:
    (complaint,) = broken(after)
    assert complaint.startswith(what)


def test_tables_may_grow_with_the_events() -> None:
    twice = {name: size * 2 for name, size in BEFORE.tables.items()}
    assert broken(replace(BEFORE, tables=twice)) == []
    lanes = {**BEFORE.tables, "soak_views.lanes": 1.6}
    (complaint,) = broken(replace(BEFORE, tables=lanes))
    assert complaint.startswith("MiB of table soak_views.lanes")


def test_role_that_grows_fastest_is_named() -> None:
    after = {"contacts-api": 101.0, "projections-views": 126.0}
    name, slope = steepest(BEFORE.memory, after, 0.5)
    assert (name, round(slope, 6)) == ("projections-views", 10.0)
