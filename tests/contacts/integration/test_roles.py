"""The roles of contacts and campaigns as processes over PostgreSQL and Kafka."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from crm_events.store.open import open_recorder
from crm_events.store.port import EventRecorder

from tests.support.processes import Processes
from tests.support.waiting import wait_until

PLAN = {
    "name": "Spring Fair",
    "goal": {"measure": "leads", "target": 40},
    "budget": {"amount": "500.00", "currency": "EUR"},
    "channels": ["fair"],
}


@pytest.fixture
def contacts_store(postgres_database: str, namespace: str) -> Iterator[EventRecorder]:
    recorder = open_recorder(postgres_database, namespace, "contacts")
    yield recorder
    recorder.close()


def test_response_becomes_lead_over_kafka_whatever_restarts(
    processes: Processes, contacts_store: EventRecorder
) -> None:
    for context in ("contacts", "campaigns"):
        processes.done(context, "migrate")
        processes.done(context, "migrate")
    campaigns = httpx.Client(base_url=processes.up("campaigns", "serve") + "/v1/campaigns")
    campaign = campaigns.post("/campaigns", json=PLAN).raise_for_status().json()["id"]
    campaigns.post(f"/campaigns/{campaign}:launch", json={}).raise_for_status()
    first = _respond(campaigns, campaign)
    for context in ("contacts", "campaigns"):
        processes.up(context, "relay")
    processes.up("contacts", "react")
    _wait_for_lead(processes, contacts_store, first)
    processes.up("contacts", "react")
    processes.up("campaigns", "react")
    second = _respond(campaigns, campaign)
    _wait_for_lead(processes, contacts_store, second)
    campaigns.close()
    leads = [e.aggregate_id for e in contacts_store.read_log(0, 100).envelopes]
    assert leads == [first, second], "once each, over two members of the group"


def _respond(campaigns: httpx.Client, campaign: str) -> UUID:
    answer = campaigns.post(
        f"/campaigns/{campaign}/responses", json={"channel": "fair", "name": "Li Na"}
    )
    return UUID(answer.raise_for_status().json()["lead_id"])


def _wait_for_lead(processes: Processes, store: EventRecorder, lead: UUID) -> None:
    try:
        wait_until(lambda: bool(store.select_streams([lead])), f"lead {lead} captured", 60)
    except AssertionError as error:
        error.add_note(processes.told_last())
        raise


def test_role_without_its_environment_says_what_to_set(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    processes = Processes(tmp_path, {"CRM_POSTGRES": ""})
    with pytest.raises(AssertionError, match="CRM_POSTGRES is missing"):
        processes.done("contacts", "serve")
    assert "Traceback" not in capfd.readouterr().err
