"""The same commands, names and imports over PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from crm_contacts import bootstrap
from crm_events.contracts.contacts import StaffChanged, StaffRegistered
from crm_events.keys.open import migrate_keys
from crm_events.store.open import migrate
from crm_service.distributed import storage_of
from crm_service.settings import ServiceSettings
from pydantic import SecretStr

from tests.contacts import erasing
from tests.support.contexts import Running, running
from tests.support.processes import master_key_in

LEAD = {"name": "Li Na", "source": "fair"}


@pytest.fixture
async def contacts(
    tmp_path: Path, postgres_database: str, namespace: str
) -> AsyncIterator[Running]:
    migrate(postgres_database, namespace, "contacts")
    migrate_keys(postgres_database, namespace)
    settings = ServiceSettings(
        namespace=namespace,
        postgres=SecretStr(postgres_database),
        keys=SecretStr(postgres_database),
        master_key_file=master_key_in(tmp_path),
    )
    with storage_of(settings, "contacts") as storage:
        async with running(bootstrap.build, storage) as contacts:
            yield contacts


def staff(team: str, row_hash: str) -> dict[str, object]:
    values = {"name": "Mei Lin", "team": team}
    row = {"line": 2, "key": "7", "row_hash": row_hash * 32, "values": values}
    return {"source": "file", "rows": [row]}


async def test_stub_is_filled_then_unchanged_then_changed(contacts: Running) -> None:
    names = {"source": "calls", "kind": "staff", "names": ["mei lin"]}
    (stub,) = (await contacts.post("/names:resolve", names)).json()["matches"]
    told = [
        (await contacts.post("/imports/staff", staff(team, mark))).json()["results"][0]
        for team, mark in (("North", "aa"), ("North", "aa"), ("West", "bb"))
    ]
    assert [result["status"] for result in told] == ["accepted", "unchanged", "accepted"]
    assert {result["id"] for result in told} == {stub["id"]}
    assert contacts.events(stub["id"]) == [
        StaffRegistered(name="mei lin", stub=True),
        StaffChanged(name="Mei Lin", team="North"),
        StaffChanged(name="Mei Lin", team="West"),
    ]


async def test_repeated_stale_and_converting_commands(contacts: Running) -> None:
    first = await contacts.post("/leads", LEAD, idempotency_key="k")
    again = await contacts.post("/leads", LEAD, idempotency_key="k")
    assert again.json() == first.json()
    path = f"/leads/{first.json()['id']}"
    assert (await contacts.post(f"{path}:qualify", if_match='"1"')).status_code == 200
    stale = await contacts.post(f"{path}:tag", {"tag": "vip"}, if_match='"1"')
    assert (stale.status_code, stale.json()["current_version"]) == (412, 2)
    converted = await contacts.post(f"{path}:convert", {"pipeline": "sales"})
    assert converted.json()["position"]["sequence"] == contacts.head()


async def test_nothing_is_legible_and_no_byte_is_rewritten(contacts: Running) -> None:
    await erasing.leaves_nothing_legible_and_all_bytes(contacts)


async def test_whatever_is_said_of_the_erased_is_refused(contacts: Running) -> None:
    await erasing.refuses_whatever_is_said_of_the_erased(contacts)
