"""What campaigns and pipeline tell contacts: who answered, who signed and who bought."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from crm_events.contracts.campaigns import ResponseReceived
from crm_events.contracts.pipeline import DealWon, OrderPlaced
from crm_events.envelope import Envelope
from crm_events.feed.reactor import Reactions, Session

from crm_contacts.domain.customer import AnyCustomer
from crm_contacts.domain.lead import Lead, LeadFacts


def capture_lead(session: Session, envelope: Envelope, event: ResponseReceived) -> None:
    """Whoever answered is a lead from the moment of the answer, attributed to the campaign."""
    facts = LeadFacts(
        name=event.name,
        email=event.email,
        phone=event.phone,
        company=event.company,
        source=event.channel,
        campaign_id=event.campaign_id,
        response_id=envelope.aggregate_id,
        region=event.region,
    )
    lead = session.find(Lead, event.lead_id) or Lead(event.lead_id)
    lead.capture(event.person_id, facts, at=session.at)
    session.add(lead)


def customer_signed(session: Session, envelope: Envelope, event: DealWon) -> None:
    """A won deal moves its customer, where contacts knows them."""
    customer = _known(session, event.customer_id)
    if customer is not None:
        customer.sign(envelope.aggregate_id, at=session.at)


def customer_bought(session: Session, envelope: Envelope, event: OrderPlaced) -> None:
    """An order moves its customer, where contacts knows them; most buyers have no record here."""
    customer = _known(session, event.customer_id)
    if customer is not None:
        customer.take_delivery(event.deal_id or envelope.aggregate_id, at=session.at)


def _known(session: Session, customer_id: UUID | None) -> AnyCustomer | None:
    found = None if customer_id is None else session.find(AnyCustomer, customer_id)
    return found if found is not None and found.begun else None


REACTIONS: Final = Reactions(
    name="contacts.reactions",
    table={
        ResponseReceived: capture_lead,
        DealWon: customer_signed,
        OrderPlaced: customer_bought,
    },
    prefetch={
        ResponseReceived: lambda _, event: [event.lead_id],
        DealWon: lambda _, event: [event.customer_id],
        OrderPlaced: lambda _, event: [event.customer_id],
    },
)
