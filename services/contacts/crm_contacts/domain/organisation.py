"""An organisation: a company or institution that buys, or may."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from crm_events.contracts.contacts import (
    CustomerKind,
    OrganisationChanged,
    OrganisationRegistered,
)
from crm_events.domain import DomainError, applies
from crm_events.event import Money

from crm_contacts.domain.customer import Customer


class OrganisationExists(DomainError):
    slug: ClassVar[str] = "organisation-exists"

    def __init__(self, name: str) -> None:
        super().__init__(f"It is registered already, as {name!r}; change the record instead.")


class OrganisationUnknown(DomainError):
    slug: ClassVar[str] = "organisation-unknown"

    def __init__(self, id: UUID) -> None:
        super().__init__(f"There is no organisation {id}; register it first.")


@dataclass(frozen=True, slots=True)
class OrganisationFacts:
    """The whole record of an organisation."""

    name: str
    sector: str | None = None
    region: str | None = None
    size: str | None = None
    revenue: Money | None = None
    parent_name: str | None = None


class Organisation(Customer):
    """One organisation. A stub was named by an import before its own record came."""

    customer_kind: CustomerKind = "organisation"

    def __init__(self, id: UUID) -> None:
        super().__init__(id)
        self.facts = OrganisationFacts("")
        self.stub = False

    def register(self, facts: OrganisationFacts, *, stub: bool = False, at: datetime) -> None:
        """Raises OrganisationExists."""
        if self.begun:
            raise OrganisationExists(self.facts.name)
        self.record(
            OrganisationRegistered(
                name=facts.name,
                sector=facts.sector,
                region=facts.region,
                size=facts.size,
                revenue=facts.revenue,
                parent_name=facts.parent_name,
                stub=stub,
            ),
            at=at,
        )

    def change(self, facts: OrganisationFacts, *, at: datetime) -> None:
        """The whole record from now on; nothing happens when it says nothing new."""
        if facts == self.facts and not self.stub:
            return
        self.record(
            OrganisationChanged(
                name=facts.name,
                sector=facts.sector,
                region=facts.region,
                size=facts.size,
                revenue=facts.revenue,
                parent_name=facts.parent_name,
            ),
            at=at,
        )

    @applies(OrganisationRegistered)
    def _registered(self, event: OrganisationRegistered) -> None:
        self._is_now(event)
        self.stub = event.stub

    @applies(OrganisationChanged)
    def _changed(self, event: OrganisationChanged) -> None:
        self._is_now(event)
        self.stub = False

    def _is_now(self, event: OrganisationRegistered | OrganisationChanged) -> None:
        self.facts = OrganisationFacts(
            event.name, event.sector, event.region, event.size, event.revenue, event.parent_name
        )
