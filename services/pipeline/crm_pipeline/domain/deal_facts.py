"""What is said about a deal when it opens, and amended later as a whole."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any
from uuid import UUID

from crm_events.contracts.pipeline import DealAmended, DealOpened
from crm_events.event import Money, Staff


@dataclass(frozen=True, slots=True)
class DealFacts:
    """What a deal is about; names and groupings are those of the moment it was said."""

    title: str | None = None
    customer_id: UUID | None = None
    product_id: UUID | None = None
    sector: str | None = None
    region: str | None = None
    source: str | None = None
    campaign_id: UUID | None = None
    amount: Money | None = None
    expected_close: date | None = None


@dataclass(frozen=True, slots=True)
class Opening:
    """Where a deal comes from. `history_unknown`: the dates are the import's, not its own."""

    lead_id: UUID | None = None
    history_unknown: bool = False


_NAMES = tuple(field.name for field in fields(DealFacts))


def named(facts: DealFacts) -> dict[str, Any]:
    """The facts as the fields of an event."""
    return {name: getattr(facts, name) for name in _NAMES}


def facts_of(event: DealOpened | DealAmended) -> DealFacts:
    """The facts an event carries."""
    return DealFacts(**{name: getattr(event, name) for name in _NAMES})


def grouped(facts: DealFacts, owner: Staff | None, sector: str | None) -> DealFacts:
    """The facts with the owner's region and the customer's sector where they name none."""
    region = facts.region or (owner.region if owner else None)
    return replace(facts, region=region, sector=facts.sector or sector)
