"""Whether two generations of a view hold the same rows, whatever order they were written in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, Table, select

from crm_projections.engine.generation import Opened

_SHOWN: Final = 5
_AT_ONCE: Final = 5_000
_MODULUS: Final = 1 << 128


def differences(connection: Connection, one: Opened[Any], other: Opened[Any]) -> list[str]:
    """A sentence for each table that differs, with some of its rows; empty where all are equal.

    Keys that the database numbers by itself are left out: they tell the order of writing.
    """
    found: list[str] = []
    for left, right in zip(_tables(one), _tables(other), strict=True):
        if _sum(connection, left) != _sum(connection, right):
            found.append(_described(connection, left, right))
    return found


def _tables(opened: Opened[Any]) -> Sequence[Table]:
    return sorted(opened.metadata.tables.values(), key=lambda table: table.name)


def _rows(connection: Connection, table: Table) -> Iterator[tuple[Any, ...]]:
    numbered = table.autoincrement_column
    columns = [c for c in table.columns if c is not numbered or c.autoincrement is not True]
    streamed = connection.execute(select(*columns), execution_options={"yield_per": _AT_ONCE})
    return (tuple(row) for row in streamed)


def _sum(connection: Connection, table: Table) -> tuple[int, int]:
    count = total = 0
    for row in _rows(connection, table):
        count += 1
        total += int.from_bytes(blake2b(repr(row).encode(), digest_size=16).digest())
    return count, total % _MODULUS


def _described(connection: Connection, left: Table, right: Table) -> str:
    lefts, rights = Counter(_rows(connection, left)), Counter(_rows(connection, right))
    only_left, only_right = lefts - rights, rights - lefts
    samples = [f"only in {left.name}: {row}" for row in islice(only_left, _SHOWN)]
    samples += [f"only in {right.name}: {row}" for row in islice(only_right, _SHOWN)]
    counts = f"{only_left.total()} rows only here, {only_right.total()} only in {right.name}"
    return f"{left.name}: {counts}; {'; '.join(samples)}"
