"""What the funnel can be broken down by, each value as of the event."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from crm_events.event import Staff


class Grouping(NamedTuple):
    """What the funnel can be broken down by, as of the event."""

    owner: UUID | None = None
    manager: UUID | None = None
    team: str | None = None
    region: str | None = None
    product: UUID | None = None
    source: str | None = None
    sector: str | None = None
    campaign: UUID | None = None

    def owned_by(self, staff: Staff | None) -> Grouping:
        if staff is None:
            return self
        return self._replace(
            owner=staff.id,
            manager=staff.manager_id,
            team=staff.team,
            region=staff.region or self.region,
        )
