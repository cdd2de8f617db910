"""Columns that are read before anybody asks, so that the first answer is as fast as the others."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from threading import Event
from typing import Any, Final

import psycopg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from crm_projections.columns.layout import Columnar
from crm_projections.columns.store import ColumnStore, columns_of
from crm_projections.engine.database import Database
from crm_projections.engine.generation import OutdatedView, find_live, open_generation

_UNREADABLE: Final = (SQLAlchemyError, sqlite3.Error, psycopg.Error, OutdatedView)
_log: Final = structlog.get_logger("crm.views")


class Warming:
    """Reads every table that the views' answers need, one after the other. A question that comes
    meanwhile waits for its own tables only."""

    def __init__(
        self, database: Database, columns: ColumnStore, views: Sequence[Columnar[Any]]
    ) -> None:
        self._database = database
        self._columns = columns
        self._views = views
        self._stopped = Event()

    @asynccontextmanager
    async def beside(self) -> AsyncIterator[None]:
        """Reads in a thread while the block runs. Leaving it waits for the table being read."""
        reading = asyncio.create_task(asyncio.to_thread(self.run))
        try:
            yield
        finally:
            self.stop()
            await reading

    def stop(self) -> None:
        """No further table is begun."""
        self._stopped.set()

    def run(self) -> None:
        """Blocking. A view that cannot be read now is read by the first question."""
        for view in self._views:
            try:
                self._read(view)
            except _UNREADABLE as error:
                _log.warning("columns_not_read", view=view.definition.id, reason=str(error))

    def _read(self, view: Columnar[Any]) -> None:
        with self._database.reading() as connection:
            live = find_live(connection, view)
            if live is None:
                return
            connection.execution_options(crm_columns=self._columns)
            for layout in view.layouts(open_generation(view, live).tables):
                if not self._stopped.is_set():
                    columns_of(connection, layout)
