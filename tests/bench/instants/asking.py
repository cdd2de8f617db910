"""`python -m tests.bench --instants`: fifty instants by chance, asked of each view."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from crm_events.clock import utc_now
from crm_projections.api.answering import Answering
from crm_projections.api.asking import Question
from crm_projections.columns.store import ColumnStore
from crm_projections.engine.database import Database, postgres_database, sqlite_database
from crm_projections.engine.instants import micros
from crm_projections.engine.view import Received, View
from crm_projections.facts.instants import Reporting
from crm_projections.views.funnel.projector import FunnelView
from crm_projections.views.names.projector import NamesView
from crm_projections.views.retention.projector import RetentionView
from crm_projections.views.satisfaction.projector import SatisfactionView

from tests.bench.ground import Ground, fresh_namespace, ground
from tests.bench.instants import histories
from tests.bench.instants.filled import Filled
from tests.bench.instants.table import Asked, table
from tests.bench.measuring import NotDone, cores
from tests.bench.memory import resident
from tests.bench.report import ROOT

RESULTS: Final = ROOT / "build" / "instants.json"
_INSTANTS: Final = 50
_NEWS: Final = 100
_QUICK: Final = 4_000
_REPORTING: Final = Reporting(ZoneInfo("UTC"), "EUR")
_VIEWS: Final[Mapping[str, tuple[View[Any], Callable[[Random], Iterator[Received]]]]] = {
    "funnel": (FunnelView(_REPORTING), histories.deals),
    "satisfaction": (SatisfactionView(_REPORTING), histories.tickets),
    "retention": (RetentionView(_REPORTING), histories.orders),
}


def run(events: int, *, quick: bool) -> None:
    with ground(quick=quick) as place:
        found = []
        for kind in ("sqlite", "postgresql"):
            for name in _VIEWS:
                found.append(_asked(place, kind, name, _QUICK if quick else events))
                print(table(found[-1:]).rpartition("\n")[2], flush=True)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_bytes(orjson.dumps([asdict(each) for each in found]))
    print(f"\n{table(found)}\n\n{cores()} cores; wrote {RESULTS.relative_to(ROOT)}")


@contextmanager
def _database(place: Ground, kind: str) -> Iterator[Database]:
    if kind == "sqlite":
        with closing(sqlite_database(place.folder() / "views.db")) as opened:
            yield opened
        return
    with place.database() as dsn, closing(postgres_database(dsn, fresh_namespace())) as opened:
        yield opened


def _asked(place: Ground, kind: str, name: str, events: int) -> Asked:
    view, history = _VIEWS[name]
    chance = Random(name)  # noqa: S311 (figures, not secrets)
    with _database(place, kind) as database:
        filled = Filled(database, view, history(chance))
        filled.take(events)
        folder = database.beside or place.folder()
        answering = _begun(database, folder)
        first, first_cpu = _timed(answering, view, chance)
        following = _begun(database, folder)
        next_first, next_first_cpu = _timed(following, view, chance)
        times = []
        for _ in range(_INSTANTS):
            filled.take(_NEWS)
            times.append(_timed(answering, view, chance))
        walls, cpus = zip(*times, strict=True)
        return Asked(
            view=name,
            database=kind,
            events=events,
            first=first,
            first_cpu=first_cpu,
            next_first=next_first,
            next_first_cpu=next_first_cpu,
            p50=statistics.median(walls),
            p95=statistics.quantiles(walls, n=20)[-1],
            cpu_p95=statistics.quantiles(cpus, n=20)[-1],
            resident_mib=resident(),
            cores=cores(),
        )


def _begun(database: Database, folder: Path) -> Answering:
    """As a process that has kept nothing yet answers."""
    return Answering(database, NamesView(), utc_now, ColumnStore(folder))


def _timed(answering: Answering, view: View[Any], chance: Random) -> tuple[float, float]:
    """Milliseconds by the clock and of the processor, from the question to the bytes."""
    at = histories.BEGINNING + timedelta(seconds=chance.randrange(histories.DAYS * 86_400))
    question = Question(view.parameters(as_of=micros(at)), None, (), 0.0)
    wall, cpu = time.perf_counter(), time.process_time()
    answer = answering.answer(view, question)
    body = orjson.dumps(answer, default=str, option=orjson.OPT_NON_STR_KEYS)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if not answer["rows"] or not body:
        raise NotDone(f"{view.definition.id} answered nothing")
    return wall * 1_000, cpu * 1_000
