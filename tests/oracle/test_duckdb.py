"""The SQL of docs/duckdb.md, by another program over exported events, gives the views' figures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import chdir
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest
from crm_console.home import Home
from crm_console.settling import settle

from tests.architecture.checks import ROOT
from tests.console.homes import Crm, opened, tell

AS_OF: Final = "2026-06-20"
SQL: Final = dict(
    re.findall(r"```sql (\w+)\n(.*?)```", (ROOT / "docs/duckdb.md").read_text(), re.DOTALL)
)
Rows = list[dict[str, Any]]


class Session:
    """DuckDB beside the exported files, after the statements of the document."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._connection = duckdb.connect()
        self.run("setup")

    def run(self, name: str) -> Rows:
        """The rows of the last statement of a block."""
        with chdir(self._folder):
            found = self._connection.execute(SQL[name])
            names = [column[0] for column in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.fixture(scope="module", params=[7, 11, 2026], ids="story {}".format)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Crm:
    """A home with a history of its own."""
    home = Home(tmp_path_factory.mktemp("oracle") / "home")
    with opened(home) as transport:
        tell(transport, request.param)
        settle(transport)
    crm = Crm.on(home)
    _taken_back(crm, tmp_path_factory.mktemp("files") / "more.csv")
    return crm


def _taken_back(crm: Crm, file: Path) -> None:
    """Orders that were imported, and whose import was undone, count nowhere."""
    file.write_text("key,customer,ordered_at,amount\n1,c1,2026-05-05,7.50\n2,c2,2026-06-01,9\n")
    imported = crm("import", "orders", file, "--currency", "EUR", "-o", "json")
    undone = crm("undo", imported.json["correlation"], "--yes", "-o", "json")
    assert (imported.code, undone.code) == (0, 0)


@pytest.fixture(scope="module")
def session(told: Crm, tmp_path_factory: pytest.TempPathFactory) -> Session:
    folder = tmp_path_factory.mktemp("exported")
    for what, out in (("events", "events.parquet"), ("facts", "facts")):
        done = told("export", what, "--format", "parquet", "--out", folder / out)
        assert done.code == 0, done.err
    return Session(folder)


def _view(told: Crm, name: str) -> Any:
    return told.view(name, "--as-of", AS_OF)


def _same(found: Mapping[str, Any], totals: Mapping[str, Any]) -> None:
    """Every figure of the SQL is the view's: counts and money exactly, ratios nearly."""
    assert found
    for name, value in found.items():
        said = totals[name]
        if isinstance(value, Decimal):
            assert Decimal(said["amount"]) == value, name
        else:
            assert said == (value if value is None else pytest.approx(value)), name


def test_funnel(told: Crm, session: Session) -> None:
    answer = _view(told, "funnel")
    _same(session.run("funnel")[0], answer["totals"])
    reached = {row["rank"]: row["reached"] for row in answer["rows"]}
    found = {row["rank"]: row["reached"] for row in session.run("funnel_stages")}
    assert found
    assert found.items() <= reached.items()


def test_satisfaction(told: Crm, session: Session) -> None:
    _same(session.run("satisfaction")[0], _view(told, "satisfaction")["totals"])


def test_retention(told: Crm, session: Session) -> None:
    answer = _view(told, "retention")
    _same(session.run("retention")[0], answer["totals"])
    cells = {
        (row["cohort"], cell["offset"]): (cell["active"], Decimal(cell["revenue"]["amount"]))
        for row in answer["rows"]
        for cell in row["cells"]
        if cell["active"]
    }
    found = session.run("retention_cells")
    assert {(r["cohort"], r["offset"]): (r["active"], r["revenue"]) for r in found} == cells


def test_facts(told: Crm, session: Session) -> None:
    _same(session.run("facts")[0], _view(told, "funnel")["totals"])
