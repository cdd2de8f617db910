"""Numbers that are sums over columns, opened: one way for every view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import Connection, FromClause

from crm_projections.columns.counting import Array
from crm_projections.columns.cut import Mask
from crm_projections.columns.events import causes
from crm_projections.columns.frame import Columns
from crm_projections.columns.layout import Layout
from crm_projections.columns.tracing import behind, changes, total
from crm_projections.engine.evidence import Evidence, Figure, Unit, UnknownFigure
from crm_projections.engine.view import Cut


@dataclass(frozen=True, slots=True)
class Summed:
    """A figure as a sum: what each row of some columns is worth, and the things they tell of."""

    figure: Figure
    unit: Unit
    layout: Layout
    columns: Columns
    worth: Array
    thing: str
    events: FromClause

    def between(self, connection: Connection, before: Cut, after: Cut) -> Evidence:
        found = changes(self.columns, self.worth, self.thing, before, after)
        return Evidence(
            self.figure,
            total(self.columns, self.worth, before),
            total(self.columns, self.worth, after),
            self.unit,
            causes(connection, self.layout, self.columns, self.events, found),
        )

    def behind(self, connection: Connection, cut: Cut) -> Evidence:
        found = behind(self.columns, self.worth, self.thing, cut)
        told = causes(connection, self.layout, self.columns, self.events, found)
        return Evidence(self.figure, 0, total(self.columns, self.worth, cut), self.unit, told)


def check_known(figure: Figure, known: Sequence[Figure]) -> None:
    """Raises UnknownFigure, which lists those there are."""
    if figure in known:
        return
    rows = [_place(each) for each in known if each.name == figure.name]
    if rows:
        raise UnknownFigure(f"{figure.name} has no such row; it has: {'; '.join(rows)}.")
    names = ", ".join(dict.fromkeys(each.name for each in known))
    raise UnknownFigure(f"{figure.name!r} is nothing that events add up to; these are: {names}.")


def _place(figure: Figure) -> str:
    return " ".join(str(part) for part in (figure.row, figure.offset) if part is not None) or "-"


def of_group(columns: Columns, layout: Layout, parameters: Any) -> Mask:
    """Rows of the group `key` of `by`: of those without a value where no key is named, and all
    where nothing is broken down. Raises UnknownFigure where the key cannot be one."""
    if parameters.by is None:
        return np.ones(columns.size, dtype=np.bool_)
    key = parameters.key
    if key is not None and layout.is_id(parameters.by):
        try:
            key = UUID(key)
        except ValueError:
            raise UnknownFigure(f"{key!r} is no id; groups of such things have one.") from None
    return columns.is_word(parameters.by, key)
