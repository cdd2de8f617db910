"""Dates of rows: none lies ahead, and those of a thing that is known are kept for comparing.

An event says when it took effect and is never changed, so a row that gives another date to what has
been imported cannot be followed by an event of the same kind; whoever imports it decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from crm_events.store.port import DirectoryEntry, EventRecorder

from crm_service.context import CLOCK_SKEW
from crm_service.importing.protocol import RowRefused

_KIND: Final = "imported-dates"


def refuse_future(column: str, moment: datetime | None, now: datetime) -> None:
    """Raises RowRefused."""
    if moment is not None and moment > now + CLOCK_SKEW:
        raise RowRefused(column, "this is in the future; correct the date or its format")


def dates_entry(id: UUID, dates: Mapping[str, datetime | None]) -> DirectoryEntry:
    """The dates that the newest row gives, to be kept beside its events."""
    texts = {column: moment.isoformat() for column, moment in dates.items() if moment is not None}
    return DirectoryEntry(_KIND, id, None, texts)


def differing_date(recorder: EventRecorder, id: UUID, dates: Mapping[str, datetime | None]) -> str:
    """The first column whose date was given before and is another one now; empty where none is."""
    entry = recorder.directory(_KIND, [id]).get(id)
    before = {} if entry is None else entry.data
    for column, moment in dates.items():
        if moment is not None and before.get(column, moment.isoformat()) != moment.isoformat():
            return column
    return ""


def refuse_other_date(column: str) -> RowRefused:
    """The refusal of a row that gives another date to what is in the log."""
    return RowRefused(column, "it was imported with another date, which stays; put that one back")
