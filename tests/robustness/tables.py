"""Files to import that are right, nearly right, or anything at all."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from hypothesis import strategies as st

Rows = list[list[str]]

_DEALS: Final = ("--stages", "New,Talking", "--won", "Won", "--lost", "Lost")
_EURO: Final = ("--currency", "EUR")


@dataclass(frozen=True)
class Kind:
    """A right file of a kind, and the options that it needs."""

    header: str
    rows: tuple[str, ...]
    options: tuple[str, ...] = ()


KINDS: Final = {
    "staff": Kind("key|name|manager|team", ("s1|Ada|Bo|North", "s2|Bo||North", "s3|Cy|Ada|")),
    "organisations": Kind(
        "key|name|sector|revenue|size",
        ("o1|Acme|retail|1,250.50|20", "o2|Bolt|||", "o3|Coda|health|9|1000+"),
        _EURO,
    ),
    "products": Kind("key|name|series|price", ("p1|Plan|A|9.50", "p2|Flat||", "p3|Pro|B|1")),
    "leads": Kind(
        "key|name|email|source|owner|captured_at|status|tags",
        ("l1|Li|li@x.io|fair|Ada|2026-01-05|new|a;b", "l2|Mo||mail||2026-01-06 09:30|qualified|"),
    ),
    "deals": Kind(
        "key|title|customer|owner|product|stage|opened_at|closed_at|amount|expected_close",
        (
            "d1|Big|Acme|Ada|Plan|New|2026-01-05||1250.00|2026-03-01",
            "d2|Old|Bolt|Bo|Plan|Won|2026-01-02|2026-02-01|99|",
            "d3||Coda|||Lost|2026-01-03|2026-01-09||",
        ),
        (*_DEALS, *_EURO),
    ),
    "tickets": Kind(
        "key|customer|agent|category|channel|opened_at|resolved|closed_at|rating|comment",
        ("t1|c1|Ada|bill|phone|2026-01-05 10:00|Y|2026-01-05 11:00|4|fine", "t2|c2||net|mail|||||"),
    ),
    "orders": Kind(
        "key|customer|ordered_at|amount|quantity|product",
        ("r1|c1|2026-01-05|7.50|2|Plan", "r2|c2|2026-01-06|8||", "r3|c1|2026-02-07|3|1|"),
        _EURO,
    ),
}

_ODD: Final = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "'=1+1",
    "=cmd|' /C'!A0",
    "2026-02-30",
    "31/12/9999",
    "0001-01-01",
    "9999-12-31 23:59:59-14:00",
    "1e400",
    "9" * 400,
    "99999999999999.9999",
    "3.010348",
    "NaN",
    "-0",
    "Ada  ",
    "ａｄａ",
    "\ufeff",
    "\u202e\u0301",
    "\U0010ffff",
    "multi\r\nline",
    'quo"te',
    "x" * 600,
    "y" * 21_000,
    "z" * 140_000,
    "#N/A",
    "Won",
    "five",
    "\x85\x1c\x0b",
)
_ENCODINGS: Final = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030", "cp1252", "utf-32")


@dataclass(frozen=True)
class Written:
    """A file, and how many of its rows are known to be rows; None where nobody can tell."""

    content: bytes
    rows: int | None = None


def right(kind: Kind) -> Rows:
    return [line.split("|") for line in (kind.header, *kind.rows)]


def _odd_cells(draw: st.DrawFn, table: Rows) -> None:
    for _ in range(draw(st.integers(0, 3))):
        row = draw(st.sampled_from(table[1:]))
        if len(row) < 2:  # another damage has left no more than its key
            continue
        place = draw(st.integers(1, len(row) - 1))
        row[place] = draw(st.sampled_from(_ODD) | st.text(max_size=8))


@st.composite
def odd_cells(draw: st.DrawFn, kind: Kind) -> Written:
    """Right but for some cells; every row keeps its key, so that it counts."""
    table = right(kind)
    _odd_cells(draw, table)
    content = text(table, draw(st.sampled_from(",;\t|"))).encode("utf-8", "replace")
    return Written(content, len(table) - 1)


def _ragged(draw: st.DrawFn, table: Rows) -> None:
    row = draw(st.sampled_from(table))
    further = draw(st.lists(st.sampled_from(_ODD[:9]), max_size=3))
    row[:] = [*row, *further][: draw(st.integers(0, 14))]


def _header_again(draw: st.DrawFn, table: Rows) -> None:
    table.insert(draw(st.integers(0, len(table))), list(table[0]))


def _column_twice(draw: st.DrawFn, table: Rows) -> None:
    table[0][draw(st.integers(0, len(table[0]) - 1))] = draw(st.sampled_from(table[0]))


def _row_twice(draw: st.DrawFn, table: Rows) -> None:
    table.append(list(draw(st.sampled_from(table[1:]))))


def _key_twice(draw: st.DrawFn, table: Rows) -> None:
    table[-1][0] = draw(st.sampled_from(table[1:]))[0]


_MUTATIONS: Final[Sequence[Callable[[st.DrawFn, Rows], None]]] = (
    _odd_cells,
    _row_twice,
    _key_twice,
    _header_again,
    _column_twice,
    _ragged,
)


@st.composite
def damaged(draw: st.DrawFn, kind: Kind) -> Written:
    """Right once, then damaged as tables and as bytes are."""
    table = right(kind)
    for mutate in draw(st.lists(st.sampled_from(_MUTATIONS), max_size=3)):
        if len(table) > 1 and all(table):
            mutate(draw, table)
    end = draw(st.sampled_from(("\n", "\r\n", "\r")))
    whole = text(table, draw(st.sampled_from(",;\t|:")), end)
    content = whole.encode(draw(st.sampled_from(_ENCODINGS)), "replace")
    return Written(draw(st.sampled_from((content, _cut(draw, content), _spliced(draw, content)))))


def _cut(draw: st.DrawFn, content: bytes) -> bytes:
    return content[: draw(st.integers(0, len(content)))]


def _spliced(draw: st.DrawFn, content: bytes) -> bytes:
    place = draw(st.integers(0, len(content)))
    inserted = draw(st.sampled_from((b"\x00", b'"', b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\x1a")))
    return content[:place] + inserted + content[place:]


def text(table: Rows, delimiter: str, end: str = "\n") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end).writerows(table)
    return out.getvalue()


def anything(kind: Kind) -> st.SearchStrategy[Written]:
    """Any bytes, and any text below a header that fits."""
    header = kind.header.replace("|", ",").encode() + b"\n"
    texts = st.text(alphabet="ab1,;\t|\" \r\n'=\0é", max_size=120)
    return st.one_of(
        st.binary(max_size=200).map(Written),
        st.binary(max_size=200).map(lambda content: Written(header + content)),
        texts.map(lambda content: Written(header + content.encode())),
    )
