from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from crm_events.contracts.contacts import StaffRegistered
from crm_service.hosting import Storage
from crm_ticketing import bootstrap

from tests.support.contexts import Reacting, Running, running, stored
from tests.support.telling import Telling
from tests.ticketing.telling import MEI, TOM

WAITS = timedelta(hours=72)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    with stored(tmp_path, "ticketing") as storage:
        yield storage


@pytest.fixture
async def desk(storage: Storage) -> AsyncIterator[Running]:
    """The context with nothing in it; surveys wait for three days."""
    async with running(partial(bootstrap.build, survey_timeout=WAITS), storage) as desk:
        yield desk


@pytest.fixture
def contacts(tmp_path: Path, storage: Storage) -> Iterator[Telling]:
    telling = Telling(tmp_path, "contacts", storage.keys)
    yield telling
    telling.close()


@pytest.fixture
def reacting(desk: Running, contacts: Telling) -> Reacting:
    """Its reactions, to contacts and to its own log."""
    logs = {"contacts": contacts.recorder, "ticketing": desk.storage.recorder}
    return Reacting(desk.context, logs)


@pytest.fixture
async def known(contacts: Telling, reacting: Reacting) -> Reacting:
    """Mei and Tom are in the directory."""
    for staff in (MEI, TOM):
        facts = staff.model_dump(exclude={"id"})
        contacts.tell(StaffRegistered(name="somebody", **facts), of=staff.id)
    await reacting.catch_up()
    return reacting
