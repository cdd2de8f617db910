"""An answer that never came: the same request under the same key tells what became of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from crm_events.ids import new_id
from crm_servers.ports import free_port
from crm_service.commands import command_id

from tests.e2e.conftest import Deployment
from tests.e2e.roles import Roles, caller
from tests.e2e.speaking import client_of, serving, speaking
from tests.e2e.stores import stores_of_home, stores_of_roles
from tests.events.store.cable import Cable
from tests.support.waiting import wait_until

LEADS = "/v1/contacts/leads"
LEAD = {"name": "Ada", "source": "lost"}


@contextmanager
def one_more_api(roles: Roles, dsn: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Another copy of the contacts API, which reaches its store by a way of its own."""
    port = str(free_port())
    told = {**roles.environment("contacts-api"), "CRM_POSTGRES": dsn, "CRM_PORT": port}
    command = [sys.executable, "-m", "crm_contacts", "serve"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, env=told, stdout=quiet, stderr=quiet) as process:
        try:
            yield process, f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def captured(client: httpx.Client, key: str) -> httpx.Response:
    return client.post(LEADS, json=LEAD, headers={"Idempotency-Key": key})


def is_ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def test_api_killed_between_commit_and_answer(distributed: Deployment) -> None:
    """The store's answer to the commit is held back until the process that waits for it is dead."""
    roles, key = Roles(distributed.folder), new_id().hex
    command = command_id(caller(distributed.folder), key)
    dsn = roles.environment("contacts-api")["CRM_POSTGRES"]
    text = distributed.crm.environment["CRM_TOKEN"]
    with (
        stores_of_roles(roles) as stores,
        Cable(dsn) as cable,
        one_more_api(roles, cable.dsn) as (process, address),
        speaking(address, text) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        wait_until(lambda: is_ready(address), "the API is ready", 60)
        assert client.post(LEADS, json=LEAD).status_code == 201
        cable.hold()
        answer = pool.submit(captured, client, key)
        contacts = stores.recorders["contacts"]
        wait_until(lambda: contacts.find_command(command) is not None, "it is committed")
        assert not answer.done()
        process.kill()
        assert isinstance(answer.exception(), httpx.TransportError)
        before = contacts.safe_position()
        with client_of(distributed.crm) as other:
            again = captured(other, key)
        assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
        written = [e for e in stores.log("contacts") if e.command_id == command]
        assert [e.aggregate_id for e in written] == [UUID(again.json()["id"])]
        assert contacts.safe_position() == before


@pytest.mark.parametrize("requests", [40, 200])
def test_server_of_a_home_killed_at_work(tmp_path: Path, requests: int) -> None:
    """What it answered is there; what it did not answer is there once, after a repetition."""
    home, keys = tmp_path / "home", [new_id().hex for _ in range(requests)]
    ids: dict[str, str] = {}

    def capture(client: httpx.Client, key: str) -> None:
        answer = captured(client, key)
        assert answer.status_code == 201, answer.text
        assert ids.setdefault(key, answer.json()["id"]) == answer.json()["id"]

    with (
        serving(home) as first,
        speaking(first.wait_listening()) as client,
        ThreadPoolExecutor(8) as pool,
    ):
        begun = [pool.submit(capture, client, key) for key in keys]
        wait_until(lambda: len(ids) > len(keys) // 3, "a third is answered")
        first.kill()
        unknown = [each for each in begun if each.exception() is not None]
    assert len(unknown) == len(keys) - len(ids) > 0
    with serving(home) as second, speaking(second.wait_listening()) as client:
        for key in keys:
            capture(client, key)
        second.process.terminate()
        second.process.wait(10)
    with stores_of_home(home) as stores:
        assert stores.types("contacts") == {"LeadCaptured": len(keys)}
        assert {str(e.aggregate_id) for e in stores.log("contacts")} == set(ids.values())
        assert stores.differences() == {}
