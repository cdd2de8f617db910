"""The schema of the key database, on either database."""

from __future__ import annotations

from typing import Final

from crm_events.sql.migrating import Scripts

SCRIPTS: Final = Scripts("crm_events.keys:migrations", "0002")
