"""At 200 random instants each view answers as a replay of the log to that same cut does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle, islice
from random import Random
from typing import Any, Final

import psycopg
import pytest
from crm_events.event import Withdrawal
from crm_events.sql.postgres import Limits, connection_info
from crm_projections.engine.view import View
from crm_projections.views.funnel.projector import FunnelView
from crm_projections.views.retention.projector import RetentionView
from crm_projections.views.satisfaction.projector import SatisfactionView
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Engine, create_engine

from tests.support.viewing import UTC_EURO, Told, Viewing, at
from tests.views.funnel import deals
from tests.views.telling import BEGIN, DAYS, DEAL, LEAD, ORDER, TICKET, History, Telling

_HISTORIES: Final = 10
_ON_POSTGRES: Final = 2
_PREFIXES: Final = 5
_INSTANTS_EACH: Final = 4
_ASKED: Final = 2
"""Questions at each instant, in turn."""
_EVENTS: Final = 80
Asked = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """A view, what it is told of, and what it is asked at every instant."""

    view: View[Any]
    kinds: Sequence[Telling]
    questions: Sequence[Asked]
    first: Sequence[Told] = ()


_MONTH: Final = {"start": "2026-02-01", "end": "2026-03-01"}
CASES: Final = {
    "funnel": Case(
        FunnelView(UTC_EURO),
        (DEAL, DEAL, LEAD),
        (
            {"by": "owner"},
            {"mode": "snapshot", "by": "region"},
            {"mode": "flow", **_MONTH},
            {"mode": "trend", "by": "source"},
            {"pipeline": "leads", "by": "team"},
        ),
        (deals.defined(at("2020-01-01")),),
    ),
    "satisfaction": Case(
        SatisfactionView(UTC_EURO),
        (TICKET,),
        ({"by": "agent"}, {"by": "month"}, {"by": "category", **_MONTH}),
    ),
    "retention": Case(
        RetentionView(UTC_EURO),
        (ORDER,),
        ({"by": "region"}, {"mode": "unbounded", "every": "7d"}, _MONTH),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_at_random_instants_a_view_answers_as_a_replay_does(name: str) -> None:
    compared = [
        told for seed in range(_HISTORIES) for told in _compared(CASES[name], f"{name} {seed}")
    ]
    assert len(compared) == 200 * _ASKED
    assert sum(compared) > len(compared) / 2, "the instants tell no cut from the whole history"


@pytest.mark.parametrize("name", CASES)
def test_on_postgres_a_view_answers_as_a_replay_on_sqlite_does(
    name: str, postgres_database: str
) -> None:
    compared = []
    for seed in range(_ON_POSTGRES):
        engine = _engine(postgres_database, f"h{seed}")
        compared += list(_compared(CASES[name], f"{name} {seed}", engine))
        engine.dispose()
    assert len(compared) == _ON_POSTGRES * _PREFIXES * _INSTANTS_EACH * _ASKED
    assert sum(compared) > len(compared) / 2


def _engine(dsn: str, schema: str) -> Engine:
    """A schema of a history's own."""
    with psycopg.connect(dsn) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
    given = connection_info(dsn, Limits(lock=30, statement=30), schema)
    return create_engine("postgresql+psycopg://", connect_args=conninfo_to_dict(given))


def _compared(case: Case, seed: str, engine: Engine | None = None) -> Iterator[bool]:
    """Of each question at each instant of one history, which is answered as by the replay: whether
    all that was ever told has another answer."""
    rng = Random(seed)  # noqa: S311 - the same history in every run
    told = [*case.first, *History(rng, case.kinds).tell(_EVENTS)]
    assert any(isinstance(each.event, Withdrawal) for each in told)
    live, questions = _viewing(case, told, rng, engine), cycle(case.questions)
    whole = cycle([live.ask(**asked).totals for asked in case.questions])
    for _ in range(_PREFIXES):
        prefix = told[: rng.randrange(len(told) + 1)]
        replayed, known = _viewing(case, prefix, rng), _known(case, prefix)
        for as_of, asked in islice(_asked(rng, questions), _INSTANTS_EACH * _ASKED):
            found = live.ask(as_of=as_of, known=known, **asked)
            assert found == replayed.ask(as_of=as_of, **asked), (seed, as_of, known, asked)
            yield found.totals != next(whole)


def _viewing(
    case: Case, told: Sequence[Told], rng: Random, engine: Engine | None = None
) -> Viewing:
    """A view of its own that was told this much, in batches of any size."""
    viewing = Viewing(case.view, engine)
    viewing.tell(*told, batch=rng.randrange(1, 30))
    return viewing


def _known(case: Case, prefix: Sequence[Told]) -> dict[str, int]:
    """How far each log was recorded by then."""
    contexts = [told.event.TYPE.split(".")[1] for told in prefix]
    return {context: contexts.count(context) for context in case.view.contexts}


def _asked(rng: Random, questions: Iterator[Asked]) -> Iterator[tuple[str, Asked]]:
    """Instants in the history, a little before and after it, and what is asked at each."""
    while True:
        when = BEGIN + timedelta(minutes=rng.randrange(-1_440, (DAYS + 5) * 1_440))
        for asked in islice(questions, _ASKED):
            yield f"{when:%Y-%m-%dT%H:%M}", asked
