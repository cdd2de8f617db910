"""Run by Alembic."""

from crm_events.sql.environment import run

run()
