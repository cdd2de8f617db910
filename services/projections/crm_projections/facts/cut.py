"""Which facts a query sees, in SQL: four comparisons, on tables with the columns of an interval."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Table, and_, literal, or_

from crm_projections.engine.view import Cut
from crm_projections.facts.instants import FOREVER


def still_believed(table: Table) -> ColumnElement[bool]:
    """Rows of what is believed now. The instant stands in the text of the statement, for a partial
    index is used for what is known when the statement is planned."""
    return table.c.known_to == literal(FOREVER, literal_execute=True)


def known(table: Table, cut: Cut) -> ColumnElement[bool]:
    """Rows believed at the cut: a prefix of each named context's log, the whole of the others."""
    if not cut.known:
        return still_believed(table)
    whole = and_(table.c.context.not_in(cut.known), still_believed(table))
    return or_(whole, *(_known_of(table, context, upto) for context, upto in cut.known.items()))


def _known_of(table: Table, context: str, upto: int) -> ColumnElement[bool]:
    return and_(table.c.context == context, table.c.known_from <= upto, table.c.known_to > upto)


def standing_at(table: Table, cut: Cut) -> ColumnElement[bool]:
    """The one interval of each unit that holds the instant asked about."""
    return and_(known(table, cut), table.c.valid_from <= cut.as_of, table.c.valid_to > cut.as_of)


def within(
    column: ColumnElement[int], start: int | None, end: int | None
) -> list[ColumnElement[bool]]:
    """Conditions for start <= column < end, each side only where given."""
    found: list[ColumnElement[bool]] = []
    if start is not None:
        found.append(column >= start)
    if end is not None:
        found.append(column < end)
    return found


def known_upto(cut: Cut, context: str) -> int:
    """The last sequence of one context that the cut sees."""
    return cut.known.get(context, FOREVER)
