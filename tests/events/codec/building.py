"""Events and places that the codec's tests speak of."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import orjson
from crm_events.codec import Slot
from crm_events.contracts.campaigns import ResponseReceived
from crm_events.contracts.contacts import LeadCaptured, PersonRegistered
from crm_events.contracts.ticketing import TicketOpened
from crm_events.event import Event

AGGREGATE: Final = UUID("018f3a52-0000-7000-8000-000000000001")
OTHER: Final = UUID("018f3a52-0000-7000-8000-000000000002")
PERSON: Final = UUID("018f3a52-0000-7000-8000-00000000beef")

CAPTURED: Final = LeadCaptured(
    person_id=PERSON,
    name="张伟",
    email="zhang.wei@example.cn",
    phone="+86 10 5550 0101",
    source="web",
)
RESPONSE: Final = ResponseReceived(
    campaign_id=OTHER, person_id=PERSON, lead_id=AGGREGATE, name="张伟", channel="mail"
)
REGISTERED: Final = PersonRegistered(name="Mei Lin", email="mei@example.com", region="华东")
OPENED: Final = TicketOpened(summary="The printer eats paper", category="product", channel="web")


def slot_of(event: Event, aggregate_id: UUID = AGGREGATE, version: int = 1) -> Slot:
    return Slot(event.TYPE, aggregate_id, version)


def fields_of(data: bytes) -> dict[str, Any]:
    """Stored bytes as the JSON they are."""
    fields = orjson.loads(data)
    assert isinstance(fields, dict)
    return fields
