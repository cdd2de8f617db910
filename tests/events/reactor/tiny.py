"""A context small enough to see through: a buyer is tagged with what each order cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from crm_events.application import ContextApplication
from crm_events.contracts.contacts import LeadTagged
from crm_events.contracts.pipeline import OrderPlaced
from crm_events.domain import Aggregate, DomainError, applies
from crm_events.envelope import Envelope
from crm_events.event import Money
from crm_events.feed.port import Lane, LanePosition
from crm_events.feed.reactor import Reaction, Reactions, Session


class TooDear(DomainError):
    """Nobody is tagged with more than a hundred."""

    slug: ClassVar[str] = "too-dear"


class Buyer(Aggregate):
    def __init__(self, id: UUID) -> None:
        super().__init__(id)
        self.tags: list[str] = []

    def tag(self, tag: str, *, at: datetime) -> None:
        self.record(LeadTagged(tag=tag), at=at)

    @applies(LeadTagged)
    def _tagged(self, event: LeadTagged) -> None:
        self.tags.append(event.tag)


class TinyApplication(ContextApplication):
    context = "contacts"

    def tags(self) -> dict[UUID, list[str]]:
        """Of every buyer, in order."""
        found: dict[UUID, list[str]] = {}
        for envelope in self.recorder.read_log(0, 1_000_000).envelopes:
            buyer = self.load(Buyer, envelope.aggregate_id)
            found[buyer.id] = buyer.tags
        return found


def tag_buyer(session: Session, envelope: Envelope, event: OrderPlaced) -> None:  # noqa: ARG001
    if event.total.amount > 100:
        raise TooDear
    buyer = session.find(Buyer, event.customer_id) or Buyer(event.customer_id)
    buyer.tag(f"{event.total.amount}", at=session.at)
    session.add(buyer)


def reactions(
    react: Reaction = tag_buyer,
    prefetch: Callable[[Envelope, OrderPlaced], Sequence[UUID]] | None = None,
) -> Reactions:
    return Reactions(
        name="tiny.reactions",
        table={OrderPlaced: react},
        prefetch={} if prefetch is None else {OrderPlaced: prefetch},
    )


def order(customer_id: UUID, amount: int = 1) -> OrderPlaced:
    total = Money(amount=Decimal(amount), currency="EUR")
    return OrderPlaced(customer_id=customer_id, total=total)


class Nowhere:
    """Positions of somebody who has seen nothing: everything is delivered again."""

    def load(self, lanes: Sequence[Lane]) -> Mapping[Lane, LanePosition]:
        return {lane: LanePosition() for lane in lanes}
