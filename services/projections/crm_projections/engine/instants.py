"""Instants as the views' tables keep them: microseconds since the epoch, UTC."""

from __future__ import annotations

from typing import Final

from crm_events.sql.instants import from_micros, to_micros

micros: Final = to_micros
instant: Final = from_micros
