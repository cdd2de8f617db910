"""What PostgreSQL's errors are called in the port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from crm_events.sql.postgres import Unreachable
from crm_events.store.port import StoreUnavailable


def unavailable(error: Exception) -> StoreUnavailable | None:
    """None where the error is not about the server but about what it was asked."""
    match error:
        case Unreachable():
            return StoreUnavailable(f"PostgreSQL cannot be reached: {error}")
        case psycopg.errors.UndefinedTable() | psycopg.errors.UndefinedFunction():
            return StoreUnavailable(
                f"The schema is not there ({error.diag.message_primary}): run the migration job."
            )
        case psycopg.OperationalError() | psycopg.InternalError():
            return StoreUnavailable(f"PostgreSQL could not do it: {error}")
    return None


@contextmanager
def in_words_of_the_port() -> Iterator[None]:
    """Raises StoreUnavailable for what it stands for."""
    try:
        yield
    except (Unreachable, psycopg.Error) as error:
        translated = unavailable(error)
        if translated is None:
            raise
        raise translated from error
