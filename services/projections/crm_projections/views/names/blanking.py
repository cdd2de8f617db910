"""Names of erased subjects leave every table that holds them, those of other generations too."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, MetaData, select, update

from crm_projections.engine.position import Generation
from crm_projections.engine.tables import GENERATIONS
from crm_projections.views.names.facts import names_table


def blank(connection: Connection, view: str, subjects: Sequence[str]) -> None:
    """A rebuilt view keeps the tables it replaced for a while; what is erased is not kept there."""
    numbers = select(GENERATIONS.c.generation).where(GENERATIONS.c.view == view)
    for number in connection.execute(numbers).scalars().all():
        table = names_table(MetaData(), Generation(view, number).suffix)
        connection.execute(update(table).where(table.c.id.in_(subjects)).values(name=None))
