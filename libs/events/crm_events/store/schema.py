"""The schema of a context's store, on either database."""

from __future__ import annotations

from typing import Final

from crm_events.sql.migrating import Scripts

SCRIPTS: Final = Scripts("crm_events.store:migrations", "0004")
