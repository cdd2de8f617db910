"""The facts of a view page by page, as one position of the log has them, while it goes on.

Facts are added and never taken back: only the end of a belief is written later. So the rows that
were there at a position can be told from those that came since, without holding a snapshot open.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    Integer,
    Table,
    Uuid,
    and_,
    literal,
    or_,
    select,
    tuple_,
)

from crm_projections.engine.generation import Opened

FOREVER: Final = 2**62
_INSTANTS: Final = frozenset(
    ("effective", "valid_from", "valid_to", "entered_at", "opened_at", "delivered_at")
)


class CursorRefused(ValueError):
    """What was sent is no cursor of this table."""


@dataclass(frozen=True, slots=True)
class FactColumn:
    """`type` is uuid, integer, boolean, text or instant (microseconds since 1970, UTC)."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class FactPage:
    """Rows in the order of their keys, and the cursor of the next page."""

    rows: Sequence[Mapping[str, Any]]
    next: str | None


class Facts:
    """One table of facts."""

    def __init__(self, table: Table, suffix: str, contexts: Sequence[str]) -> None:
        self.name = table.name.removesuffix(suffix)
        self._table = table
        self._contexts = contexts
        self._key = list(table.primary_key)
        numbered = table.autoincrement_column
        self._columns = [c for c in table.columns if c is not numbered or len(self._key) > 1]

    @property
    def columns(self) -> list[FactColumn]:
        return [FactColumn(str(c.name), _type(c.name, c.type)) for c in self._columns]

    def page(
        self, connection: Connection, at: Mapping[str, int], after: str | None, limit: int
    ) -> FactPage:
        """Raises CursorRefused."""
        query = select(*self._key, *self._columns).where(self._known(at))
        if after is not None:
            query = query.where(tuple_(*self._key) > tuple_(*self._literals(after)))
        found = connection.execute(query.order_by(*self._key).limit(limit)).all()
        rows = [self._row(row[len(self._key) :], at) for row in found]
        full = len(found) == limit
        return FactPage(rows, _cursor(found[-1][: len(self._key)]) if full else None)

    def _known(self, at: Mapping[str, int]) -> ColumnElement[bool]:
        columns = self._table.c
        since = columns.known_from if "known_from" in columns else columns.sequence
        if "context" not in columns:
            return since <= at[self._context]
        return or_(*(and_(columns.context == c, since <= upto) for c, upto in at.items()))

    @property
    def _context(self) -> str:
        return str(self._table.info.get("context", self._contexts[0]))

    def _literals(self, after: str) -> list[Any]:
        try:
            values = json.loads(after)
            typed = [_typed(c.type, v) for c, v in zip(self._key, values, strict=True)]
        except (ValueError, TypeError, AttributeError) as error:
            raise CursorRefused("send what the page before said in Crm-Next") from error
        return [literal(v, c.type) for c, v in zip(self._key, typed, strict=True)]

    def _row(self, values: Sequence[Any], at: Mapping[str, int]) -> dict[str, Any]:
        row = {str(c.name): _plain(v) for c, v in zip(self._columns, values, strict=True)}
        for name in _INSTANTS & row.keys():
            row[name] = None if row[name] == FOREVER else row[name]
        if "known_to" in row and row["known_to"] > at[row.get("context", self._context)]:
            row["known_to"] = None
        return row


def facts_of(opened: Opened[Any], contexts: Sequence[str]) -> list[Facts]:
    """The tables of a generation whose rows say since when they are known; no others are facts."""
    suffix = opened.generation.suffix
    return [
        Facts(table, suffix, contexts)
        for name, table in sorted(opened.metadata.tables.items())
        if "known_from" in table.c or "sequence" in table.c
    ]


def _type(name: str, type: Any) -> str:
    if name in _INSTANTS:
        return "instant"
    kinds = {Uuid: "uuid", Boolean: "boolean", BigInteger: "integer", Integer: "integer"}
    return next((word for kind, word in kinds.items() if isinstance(type, kind)), "text")


def _plain(value: Any) -> Any:
    return bytes(value).decode() if isinstance(value, bytes | memoryview) else value


def _typed(type: Any, value: Any) -> Any:
    return UUID(value) if isinstance(type, Uuid) else int(value)


def _cursor(key: Sequence[Any]) -> str:
    return json.dumps([str(v) if isinstance(v, UUID) else v for v in key])
