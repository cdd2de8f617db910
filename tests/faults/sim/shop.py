"""The smallest company that needs everything: accounts order, buyers are tagged for it and reminded
later, and a view lists the orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from crm_events.application import ContextApplication, Saving
from crm_events.contracts.contacts import LeadTagged
from crm_events.contracts.pipeline import OrderPlaced
from crm_events.domain import Aggregate, DomainError, applies
from crm_events.envelope import Envelope
from crm_events.event import Money
from crm_events.feed.session import Reactions, Session
from crm_events.store.mapper import Cause
from crm_events.store.port import Beside, Timer
from crm_projections.engine.view import Definition, Received
from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, Table, Uuid, insert

POISON: Final = 13
"""An amount that the view cannot take."""
TOO_DEAR: Final = 101
"""An amount that buyers are not tagged for."""
REACTIONS: Final = "sim.reactions"


class TooDear(DomainError):
    slug: ClassVar[str] = "too-dear"


class Account(Aggregate):
    def order(self, amount: int, customer: UUID, *, at: datetime) -> None:
        total = Money(amount=Decimal(amount), currency="EUR")
        self.record(OrderPlaced(customer_id=customer, total=total), at=at)

    @applies(OrderPlaced)
    def _ordered(self, event: OrderPlaced) -> None:
        """Nothing is decided on it but that it was."""


class Buyer(Aggregate):
    def tag(self, tag: str, *, at: datetime) -> None:
        self.record(LeadTagged(tag=tag), at=at)

    @applies(LeadTagged)
    def _tagged(self, event: LeadTagged) -> None:
        """Nothing is decided on it but that it was."""


class Orders(ContextApplication):
    context = "pipeline"


class Buyers(ContextApplication):
    context = "contacts"


def account(number: int) -> UUID:
    return uuid5(NAMESPACE_URL, f"sim/account/{number}")


def buyer(number: int) -> UUID:
    return uuid5(NAMESPACE_URL, f"sim/buyer/{number}")


def reminder(event_id: UUID) -> UUID:
    return uuid5(event_id, "remind")


def tag_buyer(session: Session, envelope: Envelope, event: OrderPlaced) -> None:
    if event.total.amount >= TOO_DEAR:
        raise TooDear
    found = session.find(Buyer, event.customer_id) or Buyer(event.customer_id)
    found.tag(f"ordered-{event.total.amount}", at=session.at)
    session.add(found)
    due_at = session.at + timedelta(seconds=1)
    session.schedule(Timer(reminder(envelope.id), "remind", found.id, due_at))


def remind(app: Buyers, timer: Timer, cause: Cause) -> None:
    def decide() -> Saving:
        found = app.load(Buyer, timer.aggregate_id)
        found.tag("reminded", at=cause.at)
        return Saving((found,), beside=Beside(timers_done=(timer.id,)))

    app.execute(cause, decide, commutes=True)


def reactions() -> Reactions:
    return Reactions(name=REACTIONS, table={OrderPlaced: tag_buyer})


class OrdersView:
    """One row for each order, in the order of their coming; it would not notice one twice."""

    contexts: ClassVar[tuple[str, ...]] = ("pipeline",)
    definition: ClassVar[Definition] = Definition("orders", 1)
    handles = frozenset({OrderPlaced})

    def tables(self, metadata: MetaData, suffix: str) -> Table:
        return Table(
            f"orders_fact{suffix}",
            metadata,
            Column("id", Integer, primary_key=True, autoincrement=True),
            Column("event_id", Uuid, nullable=False),
            Column("account", Uuid, nullable=False),
            Column("version", BigInteger, nullable=False),
            Column("amount", BigInteger, nullable=False),
        )

    def apply(self, connection: Connection, tables: Table, batch: Sequence[Received]) -> None:
        rows = [_row(received) for received in batch]
        connection.execute(insert(tables), rows)


def _row(received: Received) -> dict[str, object]:
    event, envelope = received.event, received.envelope
    assert isinstance(event, OrderPlaced)
    if event.total.amount == POISON:
        raise ValueError("cannot take this amount")
    return {
        "event_id": envelope.id,
        "account": envelope.aggregate_id,
        "version": envelope.aggregate_version,
        "amount": int(event.total.amount),
    }
