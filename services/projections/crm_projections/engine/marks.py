"""Which prefix of each log was known at a time, told by the marks its reader wrote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from crm_events.store.port import Mark
from sqlalchemy import Connection, func, select

from crm_projections.engine.database import Database, insert_new
from crm_projections.engine.instants import micros
from crm_projections.engine.tables import MARKS


@dataclass(frozen=True, slots=True)
class Known:
    """For each context the sequence up to which events were known. `settled` is False where later
    marks may still move one of them."""

    sequences: Mapping[str, int]
    settled: bool


def store_marks(database: Database, marks: Mapping[str, Sequence[Mark]]) -> None:
    """Keep marks; one that is kept already changes nothing."""
    rows = [
        {"context": context, "at": micros(mark.at), "safe_to": mark.safe_to}
        for context, found in marks.items()
        for mark in found
    ]
    if rows:
        with database.writing() as connection:
            insert_new(connection, MARKS, rows)


def known_at(connection: Connection, contexts: Iterable[str], at: int) -> Known:
    """The last mark at or before `at` (microseconds) of each context; nothing before the first."""
    found = {context: _last_mark(connection, context, at) for context in contexts}
    return Known(
        {context: safe_to for context, (safe_to, _) in found.items()},
        settled=all(closed for _, closed in found.values()),
    )


def _last_mark(connection: Connection, context: str, at: int) -> tuple[int, bool]:
    of_context = select(MARKS).where(MARKS.c.context == context)
    before = of_context.where(MARKS.c.at <= at).order_by(MARKS.c.at.desc()).limit(1)
    row = connection.execute(before).one_or_none()
    last = select(func.max(MARKS.c.at)).where(MARKS.c.context == context)
    newest = connection.execute(last).scalar_one()
    return (row.safe_to if row else 0), newest is not None and newest >= at
