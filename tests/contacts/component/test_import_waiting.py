"""An import can ask that what other contexts wrote before has arrived here first."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
from crm_contacts.application import ContactsApplication
from crm_contacts.imports import import_kinds
from crm_service.app import create_app
from crm_service.context import CONTEXT_ERRORS
from crm_service.hosting import Storage
from crm_service.importing.routes import import_router
from crm_service.principals import Principals, local_user

from tests.support.contexts import SECRET

BODY = {
    "source": "file",
    "rows": [{"line": 2, "key": "1", "row_hash": "00" * 8, "values": {"name": "Mei"}}],
}


@asynccontextmanager
async def importing(
    storage: Storage, seen: Callable[[str], int]
) -> AsyncIterator[httpx.AsyncClient]:
    """The import route alone, which knows through `seen` how far reactions are."""
    app = ContactsApplication(storage.recorder, storage.codec(), SECRET)
    router = import_router(app, SECRET, import_kinds(app, "EUR"), seen, patience=0.2)
    api = create_app(
        "Imports",
        "contacts",
        [router],
        principals=Principals("127.0.0.1", local=local_user("tester")),
        readiness={},
        errors=CONTEXT_ERRORS,
    )
    transport = httpx.ASGITransport(api, client=("127.0.0.1", 50_000))
    async with (
        api.router.lifespan_context(api),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
    ):
        yield client


async def sent(client: httpx.AsyncClient, after: str) -> httpx.Response:
    return await client.post("/v1/contacts/imports/staff", json=BODY, headers={"Crm-After": after})


async def test_rows_wait_for_what_was_written_before(storage: Storage) -> None:
    steps = iter(range(1_000))
    async with importing(storage, lambda _: next(steps)) as client:
        answer = await sent(client, "campaigns/*/4")
    assert answer.json()["results"][0]["status"] == "accepted"
    assert next(steps) == 5, "asked until it was there, and not once more"


async def test_what_does_not_arrive_is_told_in_time(storage: Storage) -> None:
    async with importing(storage, lambda _: 3) as client:
        answer = await sent(client, "campaigns/*/4")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert storage.recorder.safe_position() == 0


async def test_own_log_is_there_already(storage: Storage) -> None:
    async with importing(storage, lambda _: 0) as client:
        answer = await sent(client, "contacts/*/4")
    assert answer.status_code == 200


@pytest.mark.parametrize("after", ["campaigns/4", "campaigns/*/x", "*"])
async def test_nonsense_is_refused(storage: Storage, after: str) -> None:
    async with importing(storage, lambda _: 0) as client:
        answer = await sent(client, after)
    assert answer.status_code == 400
    assert "contacts/*/1234" in answer.json()["detail"]
