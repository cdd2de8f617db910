"""Two small kinds of aggregate."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from crm_events.contracts.contacts import LeadTagged, LeadUntagged, OrganisationRegistered
from crm_events.domain import Aggregate, DomainError, applies

ID: Final = UUID("018f3a52-0000-7000-8000-000000000001")
OTHER: Final = UUID("018f3a52-0000-7000-8000-000000000002")
NOON: Final = datetime(2026, 3, 14, 12, tzinfo=UTC)
LATER: Final = datetime(2026, 3, 15, 12, tzinfo=UTC)


class NotTagged(DomainError):
    """There is nothing to take off."""


class Tagged(Aggregate):
    """Keeps its tags."""

    def __init__(self, id: UUID) -> None:
        super().__init__(id)
        self.tags: set[str] = set()

    def tag(self, tag: str, at: datetime = NOON) -> None:
        self.record(LeadTagged(tag=tag), at=at)

    def untag(self, tag: str, at: datetime = NOON) -> None:
        if tag not in self.tags:
            raise NotTagged(f"There is no tag {tag}; name one of {sorted(self.tags)}.")
        self.record(LeadUntagged(tag=tag), at=at)

    @applies(LeadTagged)
    def _tagged(self, event: LeadTagged) -> None:
        self.tags.add(event.tag)

    @applies(LeadUntagged)
    def _untagged(self, event: LeadUntagged) -> None:
        self.tags.discard(event.tag)


class Loud(Tagged):
    """The same, in capitals."""

    @applies(LeadTagged)
    def _loudly(self, event: LeadTagged) -> None:
        self.tags.add(event.tag.upper())


class Named(Aggregate):
    """Another kind."""

    name = ""

    @applies(OrganisationRegistered)
    def _registered(self, event: OrganisationRegistered) -> None:
        self.name = event.name
