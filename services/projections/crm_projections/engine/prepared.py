"""Statements put together once and asked of the driver itself.

SQLAlchemy knows what a statement reads like on each database and what a value of a type becomes;
its results, rows and transactions cost several times what a page of a list does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, TypeVar

from sqlalchemy import BindParameter, Dialect, Select, bindparam
from sqlalchemy.types import TypeEngine

T = TypeVar("T")

Change = Callable[[Any], Any]
Rows = list[tuple[Any, ...]]
_MOST: Final = 256


def left_open(name: str, type: TypeEngine[T] | None = None) -> BindParameter[T]:
    """A value that a statement is given when it is asked, each time another."""
    return bindparam(name, type_=type, required=False)


class Prepared:
    """A statement in a database's own words, its values by their places. Thread-safe."""

    def __init__(self, statement: Select[Any], dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        self.text = str(compiled)
        self._order = list(compiled.positiontup or ())
        changes = {name: _bound(bind.type, dialect) for name, bind in compiled.binds.items()}
        self._bound: Mapping[str, Change] = {n: change for n, change in changes.items() if change}
        self._given = self._changed(compiled.params)
        columns = enumerate(statement.selected_columns)
        changed = [(place, _read(column.type, dialect)) for place, column in columns]
        self._read: Sequence[tuple[int, Change]] = [(n, change) for n, change in changed if change]

    def values(self, given: Mapping[str, Any]) -> list[Any]:
        """What the driver is to be given; `given` are the values that the statement leaves open."""
        values = {**self._given, **self._changed(given)}
        return [values[name] for name in self._order]

    def rows(self, found: Rows) -> Rows:
        """What the driver answered, in types of Python."""
        return [self._row(row) for row in found] if self._read else found

    def _changed(self, given: Mapping[str, Any]) -> dict[str, Any]:
        changes = self._bound
        return {n: changes[n](v) if n in changes else v for n, v in given.items()}

    def _row(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        values = list(row)
        for place, change in self._read:
            values[place] = change(values[place])
        return tuple(values)


@lru_cache(maxsize=_MOST)
def prepared(statement: Select[Any], dialect: Dialect) -> Prepared:
    """Kept for statements that are made once."""
    return Prepared(statement, dialect)


def _bound(type: Any, dialect: Dialect) -> Change | None:
    change: Change | None = type.dialect_impl(dialect).bind_processor(dialect)
    return change


def _read(type: Any, dialect: Dialect) -> Change | None:
    change: Change | None = type.dialect_impl(dialect).result_processor(dialect, None)
    return change
