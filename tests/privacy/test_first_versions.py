"""A home whose history begins with the first versions of events goes on as if they were new."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from crm_console.embedded.stores import open_stores
from crm_console.home import Home
from crm_console.settling import settle
from crm_console.transport import Transport
from crm_events.catalogue import context_of
from crm_events.codec import Codec, Slot
from crm_events.contracts.pipeline import DealAmended, DealOpened
from crm_events.event import Event
from crm_events.store.port import NewEvent

from tests.console.homes import opened
from tests.support.stored import stored_event

LEAD, PERSON, DEAL, OTHER_DEAL, OTHER_LEAD = (UUID(int=number) for number in range(1, 6))
WHEN = datetime(2026, 3, 4, 12, tzinfo=UTC)
STAGE = {"key": "meet", "probability": 0.1}
SALES = {"key": "sales", "stages": [STAGE]}


def _first_version(name: str, id: UUID, version: int, **data: Any) -> NewEvent:
    """An event as programs before the second version stored it."""
    return stored_event(
        id, version, f"crm.{name}.v1", orjson.dumps(data), by="local:tester", at=WHEN
    )


def _history() -> list[NewEvent]:
    """A lead on its way to a deal, and a deal that was opened by hand."""
    at_meet = {"pipeline": "sales", "pipeline_version": 1, "history_unknown": False}
    stage = {"name": "meet", "rank": 1, **STAGE}
    person = {"person_id": str(PERSON), "source": "fair"}
    into = {"deal_id": str(DEAL), "pipeline": "sales", "title": "Forty printers"}
    return [
        _first_version("contacts.LeadCaptured", LEAD, 1, **person, company="Acme", tags=[]),
        _first_version("contacts.LeadQualified", LEAD, 2, need="printers"),
        _first_version("contacts.LeadConverted", LEAD, 3, **person, **into),
        _first_version("contacts.LeadCaptured", OTHER_LEAD, 1, **person, company="Acme", tags=[]),
        _first_version(
            "pipeline.DealOpened", OTHER_DEAL, 1, **at_meet, stage=stage, title="A crane"
        ),
    ]


def _put(home: Home, events: list[NewEvent]) -> None:
    stores = open_stores(home, "crm", "EUR")
    for event in events:
        stores.recorders[context_of(event.topic)].insert_events([event])
    stores.close()


def _pipeline(home: Home, id: UUID) -> list[tuple[Event, bytes]]:
    """The events of a deal with the bytes they rest in."""
    stores = open_stores(home, "crm", "EUR")
    codec = Codec(stores.keys)
    found = [
        (codec.decode(each.data, Slot(each.type, id, each.aggregate_version)), each.data)
        for each in stores.recorders["pipeline"].read_log(0, 1_000).envelopes
        if each.aggregate_id == id
    ]
    stores.close()
    return found


def _goes_on(transport: Transport) -> Any:
    """Views and reactions take the history, and commands go on from it; the funnel's answer."""
    settle(transport)
    body = {"amount": {"amount": "5", "currency": "EUR"}}
    transport.send("POST", f"/v1/pipeline/deals/{OTHER_DEAL}:amend", body=body)
    transport.send("POST", f"/v1/contacts/leads/{OTHER_LEAD}:disqualify", body={"reason": "gone"})
    settle(transport)
    query = {"pipeline": "sales", "mode": "snapshot"}
    return transport.send("GET", "/v1/views/funnel", query=query)


def test_first_versions_are_reacted_to_counted_and_gone_on_from(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with opened(home) as transport:
        transport.send("POST", "/v1/pipeline/pipelines", body=SALES)
    _put(home, _history())
    with opened(home) as transport:
        funnel = _goes_on(transport)
    [(converted, sealed)] = _pipeline(home, DEAL)
    assert isinstance(converted, DealOpened)
    assert (converted.title, converted.lead_id) == ("Forty printers", LEAD)
    assert b"Forty printers" not in sealed
    (first, _), (amended, again) = _pipeline(home, OTHER_DEAL)
    assert isinstance(first, DealOpened)
    assert isinstance(amended, DealAmended)
    assert first.title == amended.title == "A crane"
    assert b"A crane" not in again
    assert funnel["totals"]["units"] == 2
