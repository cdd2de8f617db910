"""Generations that nobody will ask any more: replaced ones, and what a process left unfinished."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select

from crm_projections.engine.database import Database
from crm_projections.engine.generation import (
    UNFINISHED,
    Opened,
    Status,
    drop,
    of_generation,
    open_generation,
)
from crm_projections.engine.position import Generation
from crm_projections.engine.tables import GENERATIONS
from crm_projections.engine.view import Projector


def drop_unfinished(database: Database, view: Projector[Any], number: int) -> None:
    """Drop what a process that is gone was filling; a generation that is live is left alone."""
    drop_unless_live(database, open_generation(view, Generation(view.definition.id, number)))


def drop_unless_live(database: Database, opened: Opened[Any]) -> None:
    """Drop what was being filled; what has been put in place meanwhile is left alone."""
    with database.reading() as connection:
        found = connection.execute(
            select(GENERATIONS.c.status).where(*of_generation(GENERATIONS, opened.generation))
        ).scalar_one_or_none()
    if found in UNFINISHED:
        drop(database, opened)


def drop_older(database: Database, view: Projector[Any], statuses: Sequence[Status]) -> None:
    """Drop the view's generations of these kinds, but the newest retired one."""
    name = view.definition.id
    query = select(GENERATIONS.c.generation, GENERATIONS.c.status).where(
        GENERATIONS.c.view == name, GENERATIONS.c.status.in_(statuses)
    )
    with database.reading() as connection:
        rows = connection.execute(query.order_by(GENERATIONS.c.generation)).all()
    kept = max((row.generation for row in rows if row.status == "retired"), default=None)
    for row in rows:
        if row.generation != kept:
            drop(database, open_generation(view, Generation(name, row.generation)))


def empty_retired(database: Database, view: Projector[Any]) -> None:
    """Delete the rows of what the view's live generation has replaced, where they hold names: an
    erasure reaches only what is followed. The tables stay for readers that are under way."""
    if not view.definition.personal:
        return
    query = select(GENERATIONS.c.generation).where(
        GENERATIONS.c.view == view.definition.id, GENERATIONS.c.status == "retired"
    )
    with database.writing() as connection:
        for number in connection.execute(query).scalars():
            opened = open_generation(view, Generation(view.definition.id, number))
            for table in opened.metadata.sorted_tables:
                connection.execute(delete(table))
