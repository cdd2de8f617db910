from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from crm_events.contracts.contacts import OrganisationRegistered, StaffRegistered
from crm_pipeline import bootstrap
from crm_service.hosting import Storage

from tests.pipeline.telling import CUSTOMER, MEI, TOM
from tests.support.contexts import Reacting, Running, running, stored
from tests.support.telling import Telling

SALES = {
    "key": "sales",
    "name": "Sales",
    "stages": [
        {"key": "meet", "name": "Meeting", "probability": 0.1},
        {"key": "offer", "name": "Offer", "probability": 0.5, "note": "in writing"},
        {"key": "sign", "name": "Signing", "probability": 0.9},
    ],
}


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    with stored(tmp_path, "pipeline") as storage:
        yield storage


@pytest.fixture
async def pipeline(storage: Storage) -> AsyncIterator[Running]:
    """The context with nothing in it."""
    async with running(bootstrap.build, storage) as pipeline:
        yield pipeline


@pytest.fixture
async def sales(pipeline: Running) -> Running:
    """The context with the pipeline meet, offer, sign."""
    await pipeline.made("/pipelines", SALES)
    return pipeline


@pytest.fixture
def contacts(tmp_path: Path, storage: Storage) -> Iterator[Telling]:
    telling = Telling(tmp_path, "contacts", storage.keys)
    yield telling
    telling.close()


@pytest.fixture
def reacting(pipeline: Running, contacts: Telling) -> Reacting:
    return Reacting(pipeline.context, {"contacts": contacts.recorder})


@pytest.fixture
async def known(contacts: Telling, reacting: Reacting) -> Reacting:
    """Mei, Tom and the organisation of the tests are in the directory."""
    for staff in (MEI, TOM):
        facts = staff.model_dump(exclude={"id"})
        contacts.tell(StaffRegistered(name="somebody", **facts), of=staff.id)
    contacts.tell(OrganisationRegistered(name="Acme", sector="retail"), of=UUID(str(CUSTOMER)))
    await reacting.catch_up()
    return reacting
