"""The roles of pipeline as processes over PostgreSQL and Kafka, following contacts."""

from collections.abc import Iterator
from uuid import UUID

import httpx
import pytest
from crm_events.codec import Codec, Slot
from crm_events.contracts.pipeline import DealOpened
from crm_events.store.open import open_recorder
from crm_events.store.port import EventRecorder

from tests.pipeline.conftest import SALES
from tests.support.keys import KeysInMemory
from tests.support.processes import Processes
from tests.support.waiting import wait_until


@pytest.fixture
def store(postgres_database: str, namespace: str) -> Iterator[EventRecorder]:
    recorder = open_recorder(postgres_database, namespace, "pipeline")
    yield recorder
    recorder.close()


def test_converted_lead_is_a_deal_with_its_owner_of_that_day(
    processes: Processes, store: EventRecorder
) -> None:
    for context in ("contacts", "pipeline"):
        processes.done(context, "migrate")
    contacts = httpx.Client(base_url=processes.up("contacts", "serve") + "/v1/contacts")
    pipeline = httpx.Client(base_url=processes.up("pipeline", "serve") + "/v1/pipeline")
    pipeline.post("/pipelines", json=SALES).raise_for_status()
    processes.up("contacts", "relay")
    processes.up("pipeline", "react")
    mei = _made(contacts, "/staff", {"name": "Mei Lin", "team": "North", "region": "Asia"})
    lead = _made(contacts, "/leads", {"name": "Li Na", "source": "fair", "owner_id": mei})
    contacts.post(f"/leads/{lead}:qualify", json={}).raise_for_status()
    converted = contacts.post(f"/leads/{lead}:convert", json={"pipeline": "sales"})
    deal = UUID(converted.raise_for_status().json()["deal_id"])
    wait_until(lambda: bool(store.select_streams([deal])), "deal opened by itself", 60)
    opened = _opened(store, deal)
    assert (opened.stage.key, opened.source, opened.lead_id) == ("meet", "fair", UUID(lead))
    assert opened.owner is not None
    assert (opened.owner.team, opened.region) == ("North", "Asia")
    for client in (contacts, pipeline):
        client.close()


def _made(client: httpx.Client, path: str, body: dict[str, str]) -> str:
    return str(client.post(path, json=body).raise_for_status().json()["id"])


def _opened(store: EventRecorder, deal: UUID) -> DealOpened:
    ((stored,),) = store.select_streams([deal]).values()
    slot = Slot(stored.topic, deal, stored.originator_version)
    event = Codec(KeysInMemory()).decode(stored.state, slot)
    assert isinstance(event, DealOpened)
    return event
