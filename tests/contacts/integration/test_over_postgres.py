"""The same commands, names and imports over PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

import httpx
import pytest
from crm_contacts import bootstrap
from crm_events.contracts.contacts import LeadTagged, StaffChanged, StaffRegistered
from crm_events.keys.open import migrate_keys
from crm_events.store.open import migrate
from crm_service.app import Edge
from crm_service.distributed import edge_of, storage_of
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
        async with running(bootstrap.build, storage, edge_of(settings)) as contacts:
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


async def at_once(posts: Sequence[Callable[[], Awaitable[httpx.Response]]]) -> list[httpx.Response]:
    """As many as the service has places for: nobody is sent away for having waited too long."""
    places = asyncio.Semaphore(Edge().threads)

    async def one(post: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
        async with places:
            return await post()

    return await asyncio.gather(*map(one, posts))


async def test_many_at_once_under_few_keys_are_each_done_once(contacts: Running) -> None:
    keys = [f"k-{n}" for n in range(40)]
    posts = [partial(contacts.post, "/leads", LEAD, idempotency_key=key) for key in keys * 5]
    answers = await at_once(posts)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == len(keys)
    assert len(contacts.log()) == len(keys)


async def test_many_at_once_about_one_thing_are_all_there_or_refused(contacts: Running) -> None:
    id = await contacts.made("/leads", LEAD)
    tags = [f"tag-{n}" for n in range(60)]
    posts = [partial(contacts.post, f"/leads/{id}:tag", {"tag": tag}) for tag in tags]
    answers = await at_once(posts)
    told = dict(zip(tags, [answer.status_code for answer in answers], strict=True))
    assert set(told.values()) <= {200, 409}
    stored = [event.tag for event in contacts.events(id) if isinstance(event, LeadTagged)]
    assert sorted(stored) == sorted(tag for tag, status in told.items() if status == 200)
    assert stored


async def test_nothing_is_legible_and_no_byte_is_rewritten(contacts: Running) -> None:
    await erasing.leaves_nothing_legible_and_all_bytes(contacts)


async def test_whatever_is_said_of_the_erased_is_refused(contacts: Running) -> None:
    await erasing.refuses_whatever_is_said_of_the_erased(contacts)
