"""R4: a view computed anew from the whole log, beside the COPY of the rows it comes to."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from crm_events.sql.names import schema_name

from tests.bench.ground import Ground, fresh_namespace
from tests.bench.measuring import Bars, Bench, NotDone, Sides
from tests.bench.report import ROOT
from tests.bench.stores import fill, sqlite_store_in

_EVENTS, _QUICK_EVENTS = 20_000, 1_000
_MILLION, _QUICK_MILLION = 1_000_000, 5_000
_MUCH, _QUICK_MUCH, _TIMES = 200_000, 5_000, 10
_CHUNK: Final = 20_000
_SECONDS_FOR_A_MILLION: Final = 30.0


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What one rebuild in a process of its own came to. `peak` is the most memory that the process
    held at once, all of it, in MiB."""

    seconds: float
    events: int
    parked: int
    peak: float
    table: str


class Rebuilding:
    """The same log every round, rebuilt beside what the round before left live. It lies in SQLite
    files, so that PostgreSQL has the same to do on both sides."""

    def __init__(self, folder: Path, dsn: str, view: str, events: int) -> None:
        self._folder = folder
        self._dsn = dsn
        self._view = view
        self._events = events
        self._namespace = fresh_namespace()
        self.last: Rebuilt | None = None

    def rebuilt(self) -> Rebuilt:
        """Raises NotDone where it was not the whole log, or an event was parked."""
        told = {
            "folder": str(self._folder),
            "dsn": self._dsn,
            "namespace": self._namespace,
            "view": self._view,
        }
        command = [sys.executable, "-m", "tests.bench.rebuilding_alone", json.dumps(told)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise NotDone(f"the rebuild failed: {done.stderr[-1_500:]}")
        found = self.last = Rebuilt(**json.loads(done.stdout))
        if found.events != self._events or found.parked:
            raise NotDone(f"{found.events} of {self._events} events, {found.parked} parked")
        return found

    def rate(self) -> float:
        return self._events / self.rebuilt().seconds

    def copied(self) -> float:
        """Rows a second: those of the view's live table, into another one with the same keys."""
        if self.last is None:
            self.rebuilt()
        assert self.last is not None
        table = f'"{schema_name(self._namespace, "projections")}".{self.last.table}'
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            connection.execute("DROP TABLE IF EXISTS raw")
            connection.execute(f"CREATE TABLE raw (LIKE {table} INCLUDING ALL)")
            rows, seconds = _copied(self._dsn, table, connection)
        if rows != self._events:
            raise NotDone(f"{rows} rows for {self._events} events: no like for like")
        return rows / seconds


def _copied(dsn: str, table: str, connection: psycopg.Connection[object]) -> tuple[int, float]:
    """How many rows, and the seconds spent on putting them in; reading them out is not counted."""
    rows, seconds = 0, 0.0
    with psycopg.connect(dsn) as reading, reading.cursor("rows") as cursor:
        cursor.execute(f"SELECT * FROM {table}")
        started = time.perf_counter()
        with connection.cursor() as writing, writing.copy("COPY raw FROM STDIN") as copy:
            seconds += time.perf_counter() - started
            while chunk := cursor.fetchmany(_CHUNK):
                started = time.perf_counter()
                for row in chunk:
                    copy.write_row(row)
                seconds += time.perf_counter() - started
                rows += len(chunk)
            started = time.perf_counter()
        seconds += time.perf_counter() - started
    return rows, seconds


@contextmanager
def _filled(place: Ground, view: str, events: int) -> Iterator[Rebuilding]:
    """A log, closed again: the rebuild has it to itself."""
    folder = place.folder()
    with place.database() as dsn:
        with sqlite_store_in(folder, "pipeline") as store:
            fill(store, events)
        yield Rebuilding(folder, dsn, view, events)


_BARS = Bars(0.15, 0.35)


def _bench(id: str, view: str) -> Bench:
    @contextmanager
    def opened(place: Ground) -> Iterator[Sides]:
        with _filled(place, view, place.size(_EVENTS, _QUICK_EVENTS)) as rebuilding:
            rebuilding.rebuilt()
            yield Sides(rebuilding.rate, rebuilding.copied)

    name = f"rebuild of {view.replace('_', ' ')} / COPY of its rows"
    return Bench(id, name, "rows/s", opened, _BARS)


@contextmanager
def _million(place: Ground) -> Iterator[Sides]:
    events = place.size(_MILLION, _QUICK_MILLION)
    with _filled(place, "retention", events) as rebuilding:

        def proof() -> str:
            found = rebuilding.last
            assert found is not None
            said = f"{events:,} events in {found.seconds:.1f} s, at most {found.peak:.0f} MiB"
            return said if place.quick else f"{said} (bar: {_SECONDS_FOR_A_MILLION:.0f} s)"

        yield Sides(rebuilding.rate, rebuilding.copied, proof=proof)


@contextmanager
def _memory(place: Ground) -> Iterator[Sides]:
    events = place.size(_MUCH, _QUICK_MUCH)
    with (
        _filled(place, "retention", events) as much,
        _filled(place, "retention", events // _TIMES) as little,
    ):
        yield Sides(lambda: much.rebuilt().peak, lambda: little.rebuilt().peak)


REBUILDING = (
    _bench("R4-engine", "last_event"),
    _bench("R4-retention", "retention"),
    Bench(
        "R4-million",
        "rebuild of retention, 1 million events / COPY",
        "rows/s",
        _million,
        _BARS,
        most_rounds=2,
    ),
    Bench(
        "R4-memory",
        "peak memory of a rebuild / of a tenth of its log",
        "MiB",
        _memory,
        most_rounds=2,
    ),
)
