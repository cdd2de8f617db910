"""Whether two generations of a view hold the same rows, whatever order they were written in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Table, select

from crm_projections.engine.generation import Opened

_SHOWN: Final = 5
_UNITS: Final = 20
_AT_ONCE: Final = 5_000
_BUCKETS: Final = 4_096
_MODULUS: Final = 1 << 128
Place = tuple[Connection, Opened[Any]]


@dataclass(frozen=True, slots=True)
class Difference:
    """What of one table only one side holds: how many rows, some of them, and whose they are."""

    what: str
    only_live: int
    only_log: int
    samples: Sequence[str] = ()
    units: Sequence[str] = ()

    def __str__(self) -> str:
        counts = f"{self.only_live} rows only in the live view, {self.only_log} only by the log"
        return f"{self.what}: {counts}; {'; '.join(self.samples)}"


@dataclass(frozen=True, slots=True)
class TableSum:
    """A table's rows, and their hashes added up (modulo 2**128): the order does not matter."""

    name: str
    rows: int
    digest: int


def differences(live: Place, log: Place) -> list[Difference]:
    """One for each table that differs; empty where all are equal.

    Keys that the database numbers by itself are left out: they tell the order of writing. Memory
    stays flat but for the rows that differ.
    """
    found: list[Difference] = []
    for left, right in zip(_tables(live[1]), _tables(log[1]), strict=True):
        lefts, rights = _bucket_sums(live[0], left), _bucket_sums(log[0], right)
        differing = {bucket for bucket in range(_BUCKETS) if lefts[bucket] != rights[bucket]}
        if differing:
            found.append(_described((live[0], left), (log[0], right), differing))
    return found


def table_sums(connection: Connection, opened: Opened[Any]) -> list[TableSum]:
    """How many rows each table of a generation holds, and their sum; the tables by name."""
    suffix = opened.generation.suffix
    return [
        _summed(connection, table, table.name.removesuffix(suffix)) for table in _tables(opened)
    ]


def digest_of_tables(sums: Sequence[TableSum]) -> str:
    """One digest of all tables (32 hexadecimal digits): equal rows, equal digest, on any database
    and in whatever order they were written."""
    said = [[each.name, each.rows, f"{each.digest:032x}"] for each in sums]
    return blake2b(orjson.dumps(said), digest_size=16).hexdigest()


def _tables(opened: Opened[Any]) -> Sequence[Table]:
    return sorted(opened.metadata.tables.values(), key=lambda table: table.name)


def _rows(connection: Connection, table: Table) -> Iterator[tuple[Any, ...]]:
    streamed = connection.execute(
        select(*_compared_columns(table)), execution_options={"yield_per": _AT_ONCE}
    )
    return (tuple(row) for row in streamed)


def _compared_columns(table: Table) -> list[Any]:
    numbered = table.autoincrement_column
    return [c for c in table.columns if c is not numbered or c.autoincrement is not True]


def _hash(row: tuple[Any, ...]) -> int:
    return int.from_bytes(blake2b(orjson.dumps(row, default=_plain), digest_size=16).digest())


def _plain(value: Any) -> str:
    return value.hex() if isinstance(value, bytes | memoryview) else str(value)


def _bucket_sums(connection: Connection, table: Table) -> list[int]:
    """Which rows differ is told by the buckets that do: only those are gathered."""
    sums = [0] * _BUCKETS
    for row in _rows(connection, table):
        hashed = _hash(row)
        sums[hashed % _BUCKETS] += hashed + _MODULUS  # the multiple counts the rows
    return sums


def _summed(connection: Connection, table: Table, name: str) -> TableSum:
    count = total = 0
    for row in _rows(connection, table):
        count += 1
        total += _hash(row)
    return TableSum(name, count, total % _MODULUS)


def _described(
    live: tuple[Connection, Table], log: tuple[Connection, Table], buckets: set[int]
) -> Difference:
    lefts, rights = _gathered(*live, buckets), _gathered(*log, buckets)
    only_live, only_log = lefts - rights, rights - lefts
    samples = [f"only live: {row}" for row in islice(only_live, _SHOWN)]
    samples += [f"only by the log: {row}" for row in islice(only_log, _SHOWN)]
    return Difference(
        live[1].name,
        only_live.total(),
        only_log.total(),
        samples,
        _units(live[1], [*only_live, *only_log]),
    )


def _gathered(connection: Connection, table: Table, buckets: set[int]) -> Counter[Any]:
    return Counter(row for row in _rows(connection, table) if _hash(row) % _BUCKETS in buckets)


def _units(table: Table, rows: Sequence[tuple[Any, ...]]) -> list[str]:
    """The things that the rows are of: by the column `unit`, else by the key."""
    names = [column.name for column in _compared_columns(table)]
    wanted = "unit" if "unit" in names else "id" if "id" in names else names[0]
    place = names.index(wanted)
    return list(dict.fromkeys(str(row[place]) for row in rows))[:_UNITS]
