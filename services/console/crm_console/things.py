"""Things that have a history of their own, read over the API as of any day and as known by any."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from crm_console.ids import id_of
from crm_console.transport import Transport

_WITHDRAWN: Final = "Withdrawn"
Times = Mapping[str, str | None]


class Kind(StrEnum):
    """What has a history of its own; a contact is a person, an organisation or a lead."""

    CONTACT = "contact"
    LEAD = "lead"
    PERSON = "person"
    ORGANISATION = "organisation"
    STAFF = "staff"
    DEAL = "deal"
    ORDER = "order"
    PRODUCT = "product"
    PIPELINE = "pipeline"
    TICKET = "ticket"
    FEEDBACK = "feedback"
    CAMPAIGN = "campaign"
    RESPONSE = "response"


_CONTEXTS: Final[Mapping[str, tuple[Kind, ...]]] = {
    "contacts": (Kind.CONTACT, Kind.LEAD, Kind.PERSON, Kind.ORGANISATION, Kind.STAFF),
    "pipeline": (Kind.DEAL, Kind.ORDER, Kind.PRODUCT, Kind.PIPELINE),
    "ticketing": (Kind.TICKET, Kind.FEEDBACK),
    "campaigns": (Kind.CAMPAIGN, Kind.RESPONSE),
}


class NotThereThen(Exception):
    """The thing is known, but there was nothing of it then."""


def history_of(
    transport: Transport, kind: Kind, id: str, as_of: str | None, known_at: str | None
) -> dict[str, Any]:
    """Its events and its record after them, with the instants that the days meant under `as_of` and
    `known_at`. A day is a whole one of the reporting time zone. Raises NotThereThen, NoId."""
    thing, times = id_of(id), _instants(transport, as_of, known_at)
    owner = next(name for name, kinds in _CONTEXTS.items() if kind in kinds)
    answer = transport.send("GET", f"/v1/{owner}/history/{thing}", query=times)
    if not _is_there(answer):
        raise NotThereThen(_absent(f"{kind} {id}", as_of, known_at))
    return {**answer, **times}


def _instants(transport: Transport, as_of: str | None, known_at: str | None) -> Times:
    """Days are read where the reporting time zone is known."""
    asked = {"as_of": as_of, "known_at": known_at}
    if not any(asked.values()):
        return asked
    cut = transport.send("GET", "/v1/views/cut", query=asked)
    return {name: cut[name] for name in asked}


def _is_there(answer: Mapping[str, Any]) -> bool:
    """What was withdrawn whole is as if it had never been."""
    events = answer["events"]
    return bool(answer["record"]) or any(not e["event"].endswith(_WITHDRAWN) for e in events)


def _absent(thing: str, as_of: str | None, known_at: str | None) -> str:
    when = f" at {as_of}" if as_of else ""
    known = f", as far as was known by {known_at}" if known_at else ""
    return f"The {thing} did not exist{when}{known}; crm history tells when it began."
