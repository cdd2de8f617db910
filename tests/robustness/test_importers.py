"""No file crashes an import, and every row of it is in or in the error file; in once, whatever."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
from crm_console.home import Home
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.console.homes import Crm, Office, heads_of, serving
from tests.console.homes import settings as told
from tests.robustness.tables import KINDS, Kind, Written, anything, damaged, odd_cells, right, text
from tests.support.commanding import Done

CODES: Final = {0, 2, 3}
ENOUGH: Final = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=14,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@dataclass
class Importing:
    """The command over one served home; each file comes from a source of its own."""

    office: Office
    folder: Path
    codes: Counter[int] = field(default_factory=Counter)
    _numbers: Iterator[int] = field(default_factory=count)

    def twice(self, name: str, written: Written) -> None:
        """Import a file, look at its books, and see that again it adds nothing."""
        file = self.folder / f"{next(self._numbers)}.csv"
        file.write_bytes(written.content)
        first = self._once(name, file)
        if first is None:
            return
        assert written.rows in {None, first["read"]}
        before = heads_of(self.office)
        again = self._once(name, file)
        assert again is not None
        assert (again["read"], again["accepted"]) == (first["read"], 0)
        assert again["refused"] == first["refused"]
        assert heads_of(self.office) == before

    def _once(self, name: str, file: Path) -> dict[str, Any] | None:
        """The counts of one import; None where the file is refused as a whole."""
        errors = file.with_suffix(".errors")
        said = ("import", name, file, "--source", file.stem, "--errors", errors, "-o", "json")
        done = Crm.on(self.office.home)(*said, *KINDS[name].options)
        self.codes[done.code] += 1
        in_words(done)
        if done.code == 2:
            assert not errors.exists()
            return None
        counts: dict[str, Any] = done.json
        in_or_out(counts, errors)
        assert done.code == (3 if counts["refused"] else 0)
        return counts


def in_words(done: Done) -> None:
    assert done.code in CODES, done.err
    assert "Traceback" not in done.err
    if done.code == 2:
        sentence = done.err.strip().splitlines()[-1]
        assert len(sentence) > 20, done.err
        assert "crm: " in done.err


def in_or_out(counts: dict[str, Any], errors: Path) -> None:
    """The books balance, and the error file holds just the refused rows, each with its reason."""
    assert counts["read"] == counts["accepted"] + counts["changed_nothing"] + counts["refused"]
    refused = told_in(errors)
    assert len(refused) == counts["refused"]
    lines = [int(row["error_line"]) for row in refused]
    assert lines == sorted(set(lines))
    assert all(line >= 1 for line in lines)
    for row in refused:
        assert row["error_reason"].strip(), row


def told_in(errors: Path) -> list[dict[str, str]]:
    if not errors.exists():
        return []
    with errors.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    home = Home(tmp_path_factory.mktemp("imported") / "home")
    with serving(home, told()) as address:
        yield Office(home, address)


@pytest.fixture
def importing(office: Office, tmp_path: Path) -> Importing:
    # A source is what a file is known by, so that each test's numbers start beyond the others'.
    start = int.from_bytes(tmp_path.name.encode()) % 10**9
    return Importing(office, tmp_path, _numbers=count(start * 1_000))


@pytest.fixture(params=sorted(KINDS))
def named(request: pytest.FixtureRequest) -> tuple[str, Kind]:
    return request.param, KINDS[request.param]


def every(importing: Importing, name: str, files: st.SearchStrategy[Written]) -> None:
    """Whatever file of these is imported, its books are balanced."""

    @ENOUGH
    @given(files)
    def balanced(written: Written) -> None:
        importing.twice(name, written)

    balanced()


def test_right_files_go_in_whole(importing: Importing, named: tuple[str, Kind]) -> None:
    name, kind = named
    importing.twice(name, Written(text(right(kind), ",").encode(), len(kind.rows)))
    assert importing.codes == {0: 2}


def test_keys_that_stand_twice_go_in_once(importing: Importing, named: tuple[str, Kind]) -> None:
    name, kind = named
    table = right(kind)
    table[-1][0] = table[1][0]
    importing.twice(name, Written(text(table, ",").encode(), len(kind.rows)))


def test_odd_cells_are_in_or_told(importing: Importing, named: tuple[str, Kind]) -> None:
    name, kind = named

    every(importing, name, odd_cells(kind))
    assert importing.codes.keys() >= {0, 3}


def test_damaged_files_are_in_or_told(importing: Importing, named: tuple[str, Kind]) -> None:
    name, kind = named

    every(importing, name, damaged(kind))
    assert importing.codes[0] + importing.codes[3]


def test_anything_at_all_is_in_or_told(importing: Importing, named: tuple[str, Kind]) -> None:
    name, kind = named

    every(importing, name, anything(kind))
    assert importing.codes[2]
