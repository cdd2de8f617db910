"""Which events the funnel takes, and which of them enter a stage or an end."""

from __future__ import annotations

from typing import Final

from crm_events.contracts import contacts, pipeline
from crm_events.event import Event

MOVES: Final[tuple[type[Event], ...]] = (
    contacts.LeadCaptured,
    contacts.LeadQualified,
    contacts.LeadDisqualified,
    contacts.LeadConverted,
    pipeline.DealOpened,
    pipeline.StageAdvanced,
    pipeline.StageMovedBack,
    pipeline.DealWon,
    pipeline.DealLost,
    pipeline.DealReopened,
)
"""Events that enter a stage or a terminal."""


UNITS: Final[tuple[type[Event], ...]] = (
    *MOVES,
    contacts.LeadAssigned,
    pipeline.DealAssigned,
    pipeline.DealAmended,
    contacts.LeadWithdrawn,
    pipeline.DealWithdrawn,
)
"""Every event that says something of a unit."""
