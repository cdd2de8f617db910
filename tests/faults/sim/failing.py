"""The views' database, with a server that goes away between two transactions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from crm_projections.engine.database import Database
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError


class Failing(Database):
    """The `fails_in`-th transaction that writes from now on fails, for want of a server."""

    def __init__(self, database: Database) -> None:
        super().__init__(database._engine, None)
        self.fails_in = 0

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        self.fails_in -= 1
        if self.fails_in == 0:
            raise OperationalError("COMMIT", {}, ConnectionError("the server went away"))
        with super().writing() as connection:
            yield connection
