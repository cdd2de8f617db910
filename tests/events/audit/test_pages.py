"""A page of the log costs PostgreSQL that page, not all that is behind it."""

from __future__ import annotations

from crm_events.audit.open import audit_log
from crm_events.ids import new_id
from crm_events.store.postgres import PostgresRecorder

from tests.events.store.building import append, event
from tests.events.store.conftest import postgres_store, schema

__all__ = ["postgres_store", "schema"]

_EVENTS, _PAGE, _NO_END = 1_000, 100, 2**62


def _fetched(store: PostgresRecorder, schema: str) -> int:
    """How many rows of the log the server has looked at so far."""
    store.rows("SELECT pg_stat_force_next_flush()")
    found = store.rows(
        "SELECT coalesce(idx_tup_fetch, 0) + seq_tup_read FROM pg_stat_user_tables "
        "WHERE schemaname = ? AND relname = 'events'",
        schema,
    )
    return int(found[0][0])


def test_log_that_was_never_analyzed_is_read_page_by_page(
    postgres_store: PostgresRecorder, schema: str
) -> None:
    """As after an import or a restore: the planner would sort what is behind each page."""
    append(postgres_store, [event(new_id(), 1) for _ in range(_EVENTS)])
    before = _fetched(postgres_store, schema)
    assert len(audit_log(postgres_store).leaves(0, _NO_END, _PAGE)) == _PAGE
    assert _PAGE <= _fetched(postgres_store, schema) - before < 2 * _PAGE
