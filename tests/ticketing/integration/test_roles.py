"""The roles of ticketing as processes over PostgreSQL and Kafka, following its own log."""

from collections import Counter
from collections.abc import Iterator, Mapping
from uuid import UUID

import httpx
import pytest
from crm_events.store.open import open_recorder
from crm_events.store.port import EventRecorder

from tests.support.processes import Processes
from tests.support.waiting import wait_until
from tests.ticketing.telling import CUSTOMER

FEEDBACK = {
    "customer_id": str(CUSTOMER),
    "content": "Charged twice",
    "category": "billing",
    "channel": "web",
}
ABOUT_FOUR_SECONDS = "0.0011"


@pytest.fixture
def told_to_roles() -> Mapping[str, str]:
    return {"CRM_SURVEY_TIMEOUT_HOURS": ABOUT_FOUR_SECONDS}


@pytest.fixture
def store(postgres_database: str, namespace: str) -> Iterator[EventRecorder]:
    recorder = open_recorder(postgres_database, namespace, "ticketing")
    yield recorder
    recorder.close()


def names(store: EventRecorder, ticket: str) -> list[str]:
    streams = store.select_streams([UUID(ticket)])
    return [event.topic.split(".")[2] for stream in streams.values() for event in stream]


def test_feedback_to_timed_out_survey_once_over_two_replicas(
    processes: Processes, store: EventRecorder
) -> None:
    processes.done("ticketing", "migrate")
    desk = httpx.Client(base_url=processes.up("ticketing", "serve") + "/v1/ticketing")
    tickets = [
        str(desk.post("/feedback", json=FEEDBACK).raise_for_status().json()["ticket_id"])
        for _ in range(4)
    ]
    processes.up("ticketing", "relay")
    for _ in range(2):
        processes.up("ticketing", "react")
    for ticket in tickets:
        _wait_for(store, ticket, "TicketOpened")
        desk.post(f"/tickets/{ticket}:resolve", json={}).raise_for_status()
    for ticket in tickets:
        _wait_for(store, ticket, "SurveyTimedOut")
        desk.post(f"/tickets/{ticket}:close", json={}).raise_for_status()
    desk.close()
    told = Counter(name for ticket in tickets for name in names(store, ticket))
    assert told == dict.fromkeys(
        ("TicketOpened", "TicketResolved", "SurveySent", "SurveyTimedOut", "TicketClosed"), 4
    )


def _wait_for(store: EventRecorder, ticket: str, name: str) -> None:
    wait_until(lambda: name in names(store, ticket), f"{name} of {ticket} by itself", 60)
