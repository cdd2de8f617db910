"""Rows to a file as CSV, JSON lines or Parquet, a portion at a time: memory stays flat."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, BinaryIO, Final, Protocol

import orjson

Row = Mapping[str, Any]
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_GROUP: Final = 50_000


class Format(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


class Column:
    """`type` is text, uuid, json, integer, number, boolean or instant (microseconds since 1970,
    UTC)."""

    def __init__(self, name: str, type: str) -> None:
        self.name = name
        self.type = type

    def said(self) -> dict[str, str]:
        return {"name": self.name, "type": self.type}


class Writer(Protocol):
    """`close` is called at the end, whatever came of it; the file stays open."""

    def write(self, rows: Sequence[Row]) -> None: ...
    def close(self) -> None: ...


def writer_for(format: Format, file: BinaryIO, columns: Sequence[Column]) -> Writer:
    kinds: dict[Format, Callable[[BinaryIO, Sequence[Column]], Writer]] = {
        Format.CSV: _Csv,
        Format.JSONL: _Jsonl,
        Format.PARQUET: _Parquet,
    }
    return kinds[format](file, columns)


class _Csv:
    """Absent values are empty, instants ISO 8601 in UTC, JSON as its text."""

    def __init__(self, file: BinaryIO, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._file = file
        self._put([[column.name for column in columns]])

    def write(self, rows: Sequence[Row]) -> None:
        self._put([[_text(c, row.get(c.name)) for c in self._columns] for row in rows])

    def _put(self, lines: Iterable[Sequence[Any]]) -> None:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(lines)
        self._file.write(text.getvalue().encode())

    def close(self) -> None:
        """Nothing is kept back."""


class _Jsonl:
    """One object a line; JSON stands as it was stored."""

    def __init__(self, file: BinaryIO, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._file = file

    def write(self, rows: Sequence[Row]) -> None:
        self._file.write(
            b"".join(
                orjson.dumps({c.name: _json(c, row.get(c.name)) for c in self._columns}) + b"\n"
                for row in rows
            )
        )

    def close(self) -> None:
        """Nothing is kept back."""


class _Parquet:
    """Instants are timestamps in UTC, JSON its text; row groups of so many rows."""

    def __init__(self, file: BinaryIO, columns: Sequence[Column]) -> None:
        import pyarrow as pa  # noqa: PLC0415 - a tenth of a second, for few commands
        import pyarrow.parquet as pq  # noqa: PLC0415

        self._pa = pa
        self._schema = pa.schema([(c.name, _arrow(pa, c.type)) for c in columns])
        self._writer = pq.ParquetWriter(file, self._schema, compression="zstd")
        self._kept: list[Row] = []

    def write(self, rows: Sequence[Row]) -> None:
        self._kept += rows
        if len(self._kept) >= _GROUP:
            self._put()

    def _put(self) -> None:
        self._writer.write_table(self._pa.Table.from_pylist(self._kept, schema=self._schema))
        self._kept = []

    def close(self) -> None:
        self._put()
        self._writer.close()


def _arrow(pa: Any, type: str) -> Any:
    kinds = {
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "instant": pa.timestamp("us", tz="UTC"),
    }
    return kinds.get(type, pa.string())


def _text(column: Column, value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return _moment(value) if column.type == "instant" and value is not None else value


def _json(column: Column, value: Any) -> Any:
    if value is None:
        return None
    if column.type == "instant":
        return _moment(value)
    return orjson.Fragment(value) if column.type == "json" else value


def _moment(micros: int) -> str:
    return (_EPOCH + timedelta(microseconds=micros)).isoformat()
