"""Everything in one process: whose request it is, whether it is ready, what it cannot open."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import httpx
import pytest
from crm_console.embedded.host import Embedded
from crm_console.embedded.served import served_home
from crm_console.home import Home, HomeUnusable

from tests.console.homes import CONTEXTS, opened, settings, tell
from tests.support.until import until

SERVICES = (*CONTEXTS, "views")
_TABLES = 5  # two of the funnel, two of satisfaction, one of retention


@asynccontextmanager
async def hosted(home: Home) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application, which runs on this loop."""
    with home.held():
        async with Embedded(home, settings()) as app:
            transport = httpx.ASGITransport(app, client=("127.0.0.1", 50_000))
            async with httpx.AsyncClient(
                transport=transport, base_url="http://localhost", timeout=30
            ) as client:
                yield client


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
async def client(home: Home) -> AsyncIterator[httpx.AsyncClient]:
    async with hosted(home) as found:
        yield found


async def test_paths_lead_to_the_service_they_name(client: httpx.AsyncClient) -> None:
    for name in SERVICES:
        answer = await client.get(f"/v1/{name}/position")
        assert answer.status_code == 200, name
        document = (await client.get(f"/openapi/{name}.json")).json()
        assert document["info"]["title"] == f"CRM {name}"
        assert all(p.startswith(f"/v1/{name}") for p in document["paths"] if p.startswith("/v1/"))
    views = (await client.get("/v1/views")).json()["views"]
    assert {view["name"] for view in views} >= {"funnel", "satisfaction", "retention"}


async def test_unknown_paths_are_problems(client: httpx.AsyncClient) -> None:
    unknown = ("/", "/v1", "/v1/", "/v1/people/1", "/openapi/people.json", "/openapi/", "/v2/views")
    for path in unknown:
        answer = await client.get(path)
        assert answer.status_code == 404, path
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"] == "/problems/no-such-path"
    inside = await client.get("/v1/pipeline/nothing")
    assert (inside.status_code, inside.json()["type"]) == (404, "/problems/no-such-path")


async def test_ready_until_something_has_ended(client: httpx.AsyncClient) -> None:
    assert (await client.get("/livez")).json() == {"status": "ok"}
    ready = await client.get("/readyz")
    assert ready.status_code == 200, ready.text
    assert ready.json()["checks"].keys() == {*CONTEXTS, "following", "audit"}
    [timers] = [t for t in asyncio.all_tasks() if "Timers.run" in repr(t.get_coro())]
    timers.cancel()
    await asyncio.wait([timers])
    failing = await client.get("/readyz")
    assert failing.status_code == 503
    reason = failing.json()["checks"]["following"]["reason"]
    assert reason == "reactions or timers have ended; the log says why, start it again"
    assert (await client.get("/livez")).status_code == 200


async def test_not_ready_when_the_views_do_not_follow(client: httpx.AsyncClient) -> None:
    [views] = [t for t in asyncio.all_tasks() if "Runner.run" in repr(t.get_coro())]
    views.cancel()
    await asyncio.wait([views])
    failing = await client.get("/readyz")
    assert failing.status_code == 503
    assert "a projection has ended" in failing.json()["checks"]["following"]["reason"]


def test_views_of_an_older_definition_are_computed_anew(home: Home) -> None:
    with opened(home) as transport:
        tell(transport)
        before = transport.send("GET", "/v1/views/retention")["totals"]
    with closing(sqlite3.connect(home.views)) as views, views:
        changed = views.execute(
            "UPDATE view_generation SET definition_version = 0 WHERE view = 'retention'"
        )
        assert changed.rowcount == 1
    with opened(home) as transport:
        assert transport.send("GET", "/v1/views/retention")["totals"] == before


# --- what cannot be opened ---


def refusal(home: Home) -> str:
    with pytest.raises(HomeUnusable) as raised, opened(home):
        pass
    return str(raised.value)


@pytest.fixture
def used(home: Home) -> Home:
    with opened(home):
        pass
    return home


@pytest.mark.parametrize("file", ["contacts.db", "campaigns.db", "keys.db", "views.db"])
def test_a_file_that_is_no_database_is_named_by_its_home(used: Home, file: str) -> None:
    for beside in used.path.glob(f"{file}-*"):
        beside.unlink()
    (used.path / file).write_bytes(b"no database at all" * 500)
    assert refusal(used) == f"{used.path} cannot be opened: file is not a database"


def test_a_newer_store_is_refused(used: Home) -> None:
    with closing(sqlite3.connect(used.store("ticketing"))) as store, store:
        store.execute("UPDATE schema_version SET version_num = '9999'")
    assert "written by a newer version; install that one" in refusal(used)


def test_keys_without_their_master_key_are_refused(used: Home) -> None:
    with opened(used) as transport:
        person = {"name": "Ada", "source": "web", "email": "ada@example.com"}
        transport.send("POST", "/v1/contacts/leads", body=person)
    used.master_key.unlink()
    assert "restore it from your backup" in refusal(used)


def test_a_store_without_its_secret_is_refused(used: Home) -> None:
    (used.path / "secret").unlink()
    assert refusal(used) == f"{used.path / 'secret'} is missing; restore it from your backup."


def test_what_was_refused_can_be_opened_once_mended(used: Home) -> None:
    kept = (used.path / "secret").read_text()
    (used.path / "secret").write_text("?")
    refusal(used)
    (used.path / "secret").write_text(kept)
    with opened(used) as transport:
        assert transport.send("GET", "/readyz")["status"] == "ok"


async def test_whoever_serves_reads_what_answers_need_before_anybody_asks(home: Home) -> None:
    embedded = Embedded(home, settings())
    app = served_home(embedded)
    with home.held():
        async with app.router.lifespan_context(app):
            await until(lambda: len(embedded.views.columns.tables) == _TABLES)
