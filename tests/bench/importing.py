"""Import: `crm import orders` into an empty home, beside a raw COPY of the same rows."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Final

import psycopg

from tests.bench.ground import Ground
from tests.bench.measuring import Bars, Bench, NotDone, Sides

_FILE: Final = "cdnow/CDNOW_master.txt"
_ROWS, _QUICK_ROWS = 69_659, 2_000
_CUSTOMERS: Final = 23_570
_FIRST: Final = date(1997, 1, 1)
_DAYS: Final = 546
_HEADER: Final = " customer_id  date number_of_cds  dollar_value"
Order = tuple[str, str, str, str]


def generated(rows: int) -> str:
    """A file of the shape of the CDNOW orders: as many customers, days and columns."""
    chance = Random(1997)  # noqa: S311 (figures, not secrets)
    lines = [_HEADER]
    for _ in range(rows):
        customer = chance.randint(1, _CUSTOMERS)
        day = _FIRST + timedelta(days=chance.randrange(_DAYS))
        pieces = chance.randint(1, 6)
        dollars = pieces * chance.randint(500, 2_000) / 100
        lines.append(f" {customer:05d} {day:%Y%m%d}  {pieces} {dollars:7.2f}")
    return "\n".join(lines) + "\n"


def source(place: Ground) -> tuple[Path, str]:
    """The file of orders, and what to say of it: the real one where CRM_TEST_DATA has it."""
    folder = os.environ.get("CRM_TEST_DATA")  # noqa: TID251 (where tests look for it too)
    real = Path(folder, _FILE) if folder else None
    if real is not None and real.exists() and not place.quick:
        return real, f"rows of {_FILE}"
    file, rows = place.folder() / "orders.txt", place.size(_ROWS, _QUICK_ROWS)
    file.write_text(generated(rows))
    return file, f"{rows:,} generated rows of the shape of {_FILE}"


class Importing:
    """Every round goes into a home, and a table, of its own."""

    def __init__(self, place: Ground, dsn: str, file: Path, what: str) -> None:
        self._place = place
        self._dsn = dsn
        self._file = file
        self._what = what
        self._orders = [_parsed(line) for line in file.read_text().splitlines()[1:] if line.strip()]

    def ours(self) -> float:
        """The whole command: start, import, and until reactions and views have seen it all."""
        home = self._place.folder() / "home"
        command = [str(_program()), "--home", str(home), "import", "orders", str(self._file)]
        started = time.perf_counter()
        done = subprocess.run(
            [*command, "-o", "json"], env=_told(), capture_output=True, text=True, check=False
        )
        seconds = time.perf_counter() - started
        shutil.rmtree(home, ignore_errors=True)
        accepted = json.loads(done.stdout)["accepted"] if done.returncode == 0 else 0
        if accepted != len(self._orders):
            raise NotDone(f"{accepted} of {len(self._orders)} rows went in: {done.stderr}")
        return accepted / seconds

    def baseline(self) -> float:
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            connection.execute("DROP TABLE IF EXISTS raw")
            connection.execute(
                "CREATE TABLE raw (id bigserial PRIMARY KEY, customer text NOT NULL,"
                " day date NOT NULL, pieces integer NOT NULL, dollars numeric NOT NULL)"
            )
            return len(self._orders) / _copied(connection, self._orders)

    def proof(self) -> str:
        return f"{self._what}, {len(self._orders):,} accepted in every round"


def _parsed(line: str) -> Order:
    customer, day, pieces, dollars = line.split()
    return customer, f"{day[:4]}-{day[4:6]}-{day[6:]}", pieces, dollars


def _copied(connection: psycopg.Connection[object], orders: Sequence[Order]) -> float:
    started = time.perf_counter()
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY raw (customer, day, pieces, dollars) FROM STDIN") as copy,
    ):
        for order in orders:
            copy.write_row(order)
    return time.perf_counter() - started


def _program() -> Path:
    return Path(sys.executable).with_name("crm")


def _told() -> Mapping[str, str]:
    """Nothing of the caller's environment but where programs are."""
    return {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "LANG": "C.UTF-8"}


@contextmanager
def _opened(place: Ground) -> Iterator[Sides]:
    with place.database() as dsn:
        importing = Importing(place, dsn, *source(place))
        yield Sides(importing.ours, importing.baseline, proof=importing.proof)


IMPORTING = Bench(
    "import", "import of orders, embedded / raw COPY", "rows/s", _opened, Bars(0.05, 0.12)
)
