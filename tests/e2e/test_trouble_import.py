"""Imports that are killed and files with wrong rows: everything goes in once, whatever happens."""

from __future__ import annotations

import csv
import signal
import sqlite3
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from crm_events.ids import new_id

from tests.e2e.conftest import Deployment
from tests.e2e.stores import stores_of_home
from tests.support.commanding import Crm, Done, program, told
from tests.support.waiting import wait_until

PIPELINE = f"trouble-{new_id().hex[-8:]}"
"""Of this run's own: who asks for another pipeline sees nothing of it."""
ROWS = 5_500
WRONG_EVERY = 500
NAMES = ("Prospecting", "Engaging", "Won", "Lost")
HEADER = ("deal_id", "owner", "product", "stage", "opened", "closed", "value")
ERRORS = ("error_line", "error_column", "error_value", "error_reason", *HEADER)
STAGES = ("--stages", "Prospecting,Engaging", "--won", "Won", "--lost", "Lost")
Row = Sequence[str]
_SECONDS = 120


def deal(number: int) -> Row:
    """A deal of a file; what stage it is in follows from its number."""
    stage = NAMES[number % 4]
    opened = f"2026-{1 + number % 6:02}-{1 + number % 28:02}"
    closed = "2026-07-01" if number % 4 > 1 else ""
    value = str(100 + number) if number % 4 == 2 else ""
    return (f"D{number}", f"Agent {number % 37}", "Suite", stage, opened, closed, value)


def is_wrong(number: int) -> bool:
    return number % WRONG_EVERY == WRONG_EVERY - 1


def spoilt(row: Row) -> Row:
    return (*row[:4], "2026-02-31", *row[5:])


def write(file: Path, rows: Iterable[Row], header: Row = HEADER) -> Path:
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])
    return file


def found(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


# --- killed ---


@contextmanager
def importing(home: Path, *arguments: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [str(program()), "--home", str(home), "import", "deals", *map(str, arguments)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, env=told({}), stdout=quiet, stderr=quiet) as process:
        try:
            yield process
        finally:
            process.kill()


def opened_in(home: Path) -> int:
    """How many deals have been committed, whoever is at work there."""
    try:
        with closing(sqlite3.connect(f"file:{home / 'pipeline.db'}?mode=ro", uri=True)) as store:
            found = store.execute("SELECT count(*) FROM events WHERE type LIKE '%.DealOpened.%'")
            return int(found.fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def killed_beyond(deals: int, home: Path, *arguments: str | Path) -> None:
    """Run an import and kill it once more deals than these are in; it must not end before."""
    with importing(home, *arguments) as process:
        wait_until(
            lambda: opened_in(home) > deals or process.poll() is not None, "the moment", _SECONDS
        )
        process.kill()
        assert process.wait(10) == -signal.SIGKILL, "it ended before it could be killed"


@pytest.mark.parametrize("further", [("--resume",), ()], ids=["resumed", "again"])
def test_import_killed_again_and_again_is_complete(
    tmp_path: Path, further: tuple[str, ...]
) -> None:
    home, errors = tmp_path / "home", tmp_path / "errors.csv"
    rows = [spoilt(deal(n)) if is_wrong(n) else deal(n) for n in range(ROWS)]
    given = (write(tmp_path / "deals.csv", rows), *STAGES, "--errors", errors)
    killed_beyond(0, home, *given)
    for deals in (1_000, 3_000):
        killed_beyond(deals, home, *given, *further)
    done = Crm(("--home", str(home)))("import", "deals", *given, *further, "-o", "json")
    assert done.code == 3, done.err
    assert bool(done.json["resumed_after"]) == bool(further)
    wrong = [str(n + 2) for n in range(ROWS) if is_wrong(n)]
    assert [row["error_line"] for row in found(errors)] == wrong
    everything_is_in_once(home, [deal(n) for n in range(ROWS) if not is_wrong(n)])


def everything_is_in_once(home: Path, rows: Sequence[Row]) -> None:
    crm = Crm(("--home", str(home)))
    standing = crm.view("funnel", "--mode", "snapshot")["rows"]
    stages = [row[3] for row in rows]
    expected = {stage: stages.count(stage) for stage in NAMES}
    assert {row["stage"]: row["standing"] for row in standing} == expected
    totals = crm.view("funnel")["totals"]
    assert totals["units"] == len(rows)
    assert float(totals["won_amount"]["amount"]) == sum(float(row[6] or 0) for row in rows)
    with stores_of_home(home) as stores:
        types = stores.types("pipeline")
        assert types["DealOpened"] == len(rows)
        assert types["DealWon"] == stages.count("Won")
        assert types["DealLost"] == stages.count("Lost")
        assert stores.types("contacts") == {"StaffRegistered": 37}
        assert stores.differences() == {}


# --- wrong rows ---


def brought(deployment: Deployment, file: Path, errors: Path) -> Done:
    own = ("--pipeline", PIPELINE, "--source", PIPELINE, "--errors", str(errors))
    return deployment.crm("import", "deals", file, *STAGES, *own, "-o", "json")


def counts(done: Done) -> tuple[int, int, int, int]:
    told: dict[str, Any] = done.json
    return told["read"], told["accepted"], told["changed_nothing"], told["refused"]


def test_wrong_rows_are_named_and_corrected_by_themselves(
    deployment: Deployment, tmp_path: Path
) -> None:
    """What the reader refuses and what the service refuses end in one file, and go in from it."""
    rows = [list(deal(n)) for n in range(40)]
    rows[3][4] = "2026-02-31"
    rows[12][3] = "Wondering"
    rows[18][6] = "-5"
    rows[25] = rows[25][:4]
    file, errors = write(tmp_path / "deals.csv", rows), tmp_path / "errors.csv"
    first = brought(deployment, file, errors)
    assert (first.code, counts(first)) == (3, (40, 36, 0, 4)), first.err
    told = {row["error_line"]: (row["error_column"], row["error_value"]) for row in found(errors)}
    assert told == {
        "5": ("opened", "2026-02-31"),
        "14": ("stage", "Wondering"),
        "20": ("value", "'-5"),
        "27": ("", ""),
    }
    assert all(row["error_reason"] for row in found(errors))
    corrected = write(tmp_path / "corrected.csv", [mended(row) for row in found(errors)], ERRORS)
    second = brought(deployment, corrected, errors)
    assert (second.code, counts(second)) == (0, (4, 4, 0, 0)), second.err
    assert not errors.exists()
    shown = deployment.crm.view("funnel", "--set", f"pipeline={PIPELINE}", "--mode", "snapshot")
    assert {row["stage"]: row["standing"] for row in shown["rows"]} == dict.fromkeys(NAMES, 10)
    whole = write(tmp_path / "whole.csv", [deal(n) for n in range(40)])
    third = brought(deployment, whole, errors)
    assert (third.code, counts(third)) == (0, (40, 0, 40, 0)), third.err


def mended(row: dict[str, str]) -> Row:
    """A line of the error file as its reader corrects it: what is told stays before it."""
    number = int(row["deal_id"].removeprefix("D"))
    return (*list(row.values())[:4], *deal(number))
