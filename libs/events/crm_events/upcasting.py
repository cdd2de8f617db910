"""Old shapes of events, lifted one version at a time before the newest class reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

Raw = dict[str, Any]
Upcast = Callable[[Raw], Raw]


class Lift(NamedTuple):
    """From one version to the next.

    `change` gets the old data with its `personal` fields opened, each None where its subject was
    erased, and answers the new data. `personal` are those of the old shape, as its schema says.
    """

    to: str
    change: Upcast
    personal: tuple[str, ...] = ()


Upcasts = Mapping[str, Lift]


def unchanged(raw: Raw) -> Raw:
    """What was said stays as it is: the new version only seals more of it, or adds a field."""
    return raw


_WHO: Final = ("name", "email", "phone")
UPCASTS: Final[Upcasts] = {
    "crm.contacts.LeadCaptured.v1": Lift("crm.contacts.LeadCaptured.v2", unchanged, _WHO),
    "crm.contacts.LeadQualified.v1": Lift("crm.contacts.LeadQualified.v2", unchanged),
    "crm.contacts.LeadDisqualified.v1": Lift("crm.contacts.LeadDisqualified.v2", unchanged),
    "crm.contacts.LeadConverted.v1": Lift("crm.contacts.LeadConverted.v2", unchanged),
    "crm.contacts.ConsentGiven.v1": Lift("crm.contacts.ConsentGiven.v2", unchanged),
    "crm.contacts.ConsentWithdrawn.v1": Lift("crm.contacts.ConsentWithdrawn.v2", unchanged),
    "crm.pipeline.DealOpened.v1": Lift("crm.pipeline.DealOpened.v2", unchanged),
    "crm.pipeline.DealAmended.v1": Lift("crm.pipeline.DealAmended.v2", unchanged),
    "crm.pipeline.StageMovedBack.v1": Lift("crm.pipeline.StageMovedBack.v2", unchanged),
    "crm.pipeline.DealReopened.v1": Lift("crm.pipeline.DealReopened.v2", unchanged),
    "crm.pipeline.PaymentReceived.v1": Lift("crm.pipeline.PaymentReceived.v2", unchanged),
    "crm.ticketing.TicketHeld.v1": Lift("crm.ticketing.TicketHeld.v2", unchanged),
    "crm.ticketing.TicketResolved.v1": Lift("crm.ticketing.TicketResolved.v2", unchanged),
    "crm.ticketing.TicketReopened.v1": Lift("crm.ticketing.TicketReopened.v2", unchanged),
    "crm.campaigns.ResponseReceived.v1": Lift("crm.campaigns.ResponseReceived.v2", unchanged, _WHO),
}
"""Stored name -> the step to the next version. Entries are added, never changed."""


def lifts_from(name: str, upcasts: Upcasts) -> tuple[Lift, ...]:
    """The steps from a stored name to its newest. Raises ValueError for steps in a circle."""
    steps: list[Lift] = []
    seen = {name}
    while name in upcasts:
        steps.append(upcasts[name])
        name = upcasts[name].to
        if name in seen:
            raise ValueError(f"The upcasts go in a circle at {name}.")
        seen.add(name)
    return tuple(steps)
