"""Dates of rows: what has not happened yet is a date read wrongly."""

from __future__ import annotations

from datetime import datetime

from crm_service.context import CLOCK_SKEW
from crm_service.importing.protocol import RowRefused


def refuse_future(column: str, moment: datetime | None, now: datetime) -> None:
    """Raises RowRefused."""
    if moment is not None and moment > now + CLOCK_SKEW:
        raise RowRefused(column, "this is in the future; correct the date or its format")
