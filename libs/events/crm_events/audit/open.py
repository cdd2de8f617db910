"""The audit of a store that is open."""

from __future__ import annotations

from crm_events.audit.log import AuditLog
from crm_events.audit.postgres_log import PostgresAuditLog
from crm_events.audit.sqlite_log import SqliteAuditLog
from crm_events.store.port import EventRecorder
from crm_events.store.postgres import PostgresRecorder
from crm_events.store.sqlite import SqliteRecorder


def audit_log(recorder: EventRecorder) -> AuditLog:
    """Raises TypeError for a store that is on neither database."""
    if isinstance(recorder, SqliteRecorder):
        return SqliteAuditLog(recorder)
    if isinstance(recorder, PostgresRecorder):
        return PostgresAuditLog(recorder)
    raise TypeError(f"{type(recorder).__name__} has no audit")
