import csv
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path

import orjson
from crm_console.importing import (
    KINDS,
    FileRefused,
    ImportFile,
    ImportOptions,
    ImportRow,
    open_table,
)
from crm_console.importing.identity import Fingerprints
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

many = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

ODD_CELLS = (
    "2021-01-05|03/04/2021|13/04/2021|5 Jan 21|1,234|1.234|$5|(5)|5万|Y|no|4.0|★★|won|New|'=1|\x00|"
    "2021年1月5日 9:30|2021-03-28T02:30|1E+5|n/a|\ud7ff|a\r\nb|\u2028|\x1f"
)
ODD_HEADERS = (
    "id|name|email|customer|date|time|amount|currency|stage|close date|rating|tags|phone|resolved|"
    "content|priority|quantity|expected close|x||name"
)
CELLS = st.one_of(st.text(max_size=12), st.sampled_from(ODD_CELLS.split("|")))
HEADERS = st.sampled_from(ODD_HEADERS.split("|"))
KIND_NAMES = st.sampled_from(sorted(KINDS))
OPTIONS = st.sampled_from(
    [
        ImportOptions(),
        ImportOptions(header=False, maps=("name=column1",)),
        ImportOptions(columns=("name", "customer", "date", "amount")),
        ImportOptions(timezone="Europe/Berlin", currency="EUR", decimal="comma"),
        ImportOptions(date_formats=("DD/MM/YYYY",), decimal="point"),
        ImportOptions(date_formats=("%d %b %y", "epoch", "excel")),
    ]
)


def opened(path: Path, kind: str, options: ImportOptions) -> ImportFile | None:
    stages = {"stages": ("New",), "won": ("Won",)} if kind == "deals" else {}
    given_ = {name: getattr(options, name) for name in options.__slots__} | stages
    try:
        return open_table(path, kind, ImportOptions(**given_))
    except FileRefused:
        return None


def check_books(content: bytes, kind: str, options: ImportOptions) -> None:
    """Whatever the file holds, it is refused in words, or each record is a row or an error."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "table.csv")
        path.write_bytes(content)
        file = opened(path, kind, options)
        if file is None:
            return
        results = list(file.rows())
        counts = file.counts
    rows = [result for result in results if isinstance(result, ImportRow)]
    assert counts.read == file.records == len(results) == counts.accepted + counts.refused
    assert counts.accepted == len(rows)
    lines = [result.line for result in results]
    assert lines == sorted(set(lines))
    check_rows(rows)


def check_rows(rows: Sequence[ImportRow]) -> None:
    keyless = [row.key for row in rows if not row.keyed]
    assert len(set(keyless)) == len(keyless)
    for row in rows:
        assert orjson.loads(orjson.dumps(row.values)) == row.values
        assert 1 <= len(row.key) <= 500
        assert len(bytes.fromhex(row.row_hash)) == 32
        assert all(isinstance(row.values[name], str) for name in row.date_only)


@many
@given(st.binary(max_size=300), KIND_NAMES, OPTIONS)
def test_no_bytes_crash_the_reader(content: bytes, kind: str, options: ImportOptions) -> None:
    check_books(content, kind, options)


@many
@given(st.text(alphabet="ab1,;\t|\" \r\n'=\0é", max_size=200), KIND_NAMES, OPTIONS)
def test_no_text_crashes_the_reader(content: str, kind: str, options: ImportOptions) -> None:
    check_books(b"name,id\n" + content.encode(), kind, options)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    """A header with what any kind needs, and records that are as wide, most of them."""
    header = ["name", "customer", "date", "amount", *draw(st.lists(HEADERS, max_size=5))]
    fitting = st.lists(CELLS, min_size=len(header), max_size=len(header))
    ragged = st.lists(CELLS, min_size=1, max_size=8)
    return [header, *draw(st.lists(fitting | fitting | ragged, max_size=12))]


@many
@given(tables(), st.sampled_from([",", ";", "\t", "|"]), KIND_NAMES, OPTIONS)
def test_every_record_is_a_row_or_an_error(
    table: list[list[str]], delimiter: str, kind: str, options: ImportOptions
) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(table)
    check_books(out.getvalue().encode("utf-8", "replace"), kind, options)


@given(st.lists(st.integers(0, 30)))
def test_repeated_rows_are_those_that_occur_again(numbers: list[int]) -> None:
    fingerprints = Fingerprints()
    for number in numbers:
        fingerprints.add(str(number))
    assert fingerprints.repeated() == {hash(str(n)) for n in numbers if numbers.count(n) > 1}
