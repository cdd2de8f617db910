from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from crm_service.app import create_app
from crm_service.network import host_of, is_loopback
from crm_service.principals import Principals, Unguarded, local_user
from crm_service.routing import Router, reads_only
from crm_service.tokens import TokenFile
from fastapi import FastAPI
from httpx import AsyncClient

from tests.service.conftest import MakeApp, client_of
from tests.service.notes import Notes
from tests.service.test_problems import assert_problem

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def tokens(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "tokens.json")


@pytest.fixture
def reader(tokens: TokenFile) -> str:
    return tokens.create("Rae", ["read"], NOON)[1]


@pytest.fixture
def writer(tokens: TokenFile) -> str:
    return tokens.create("Will", ["read", "write"], NOON)[1]


@pytest.fixture
def public(make_app: MakeApp, tokens: TokenFile) -> FastAPI:
    tokens.create("Olga", ["admin"], NOON)
    return make_app(Principals("0.0.0.0", tokens=tokens, local=local_user("ada")))  # noqa: S104


@pytest.fixture
def local(make_app: MakeApp, tokens: TokenFile) -> FastAPI:
    return make_app(Principals("127.0.0.1", tokens=tokens, local=local_user("ada")))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_person_at_this_machine_needs_no_token(client: AsyncClient, notes: Notes) -> None:
    me = (await client.get("/v1/notes/me")).json()
    assert me == {"id": "local:ada", "name": "ada", "rights": ["admin", "read", "write"]}
    await client.post("/v1/notes", json={"text": "a"})
    assert notes.causes[0].actor == "local:ada"


async def test_other_machines_must_show_token(public: FastAPI, writer: str) -> None:
    async with client_of(public, peer="10.0.0.9") as client:
        refused = await client.get("/v1/notes/me")
        assert_problem(refused, 401, "missing-principal")
        assert refused.headers["www-authenticate"] == 'Bearer realm="crm"'
        assert (await client.get("/v1/notes/me", headers=bearer(writer))).json()["name"] == "Will"


async def test_public_address_knows_no_local_user(public: FastAPI) -> None:
    async with client_of(public, peer="127.0.0.1") as client:
        assert_problem(await client.get("/v1/notes/me"), 401, "missing-principal")


async def test_gatewayed_service_asks_its_own_machine(make_app: MakeApp, tokens: TokenFile) -> None:
    _, text = tokens.create("Olga", ["read"], NOON)
    async with client_of(make_app(Principals("127.0.0.1", tokens=tokens))) as client:
        assert_problem(await client.get("/v1/notes/me"), 401, "missing-principal")
        headers = {**bearer(text), "Host": "crm.example.com"}
        assert (await client.get("/v1/notes/me", headers=headers)).status_code == 200


@pytest.mark.parametrize("peer", ["10.0.0.9", "::ffff:10.0.0.9", "2001:db8::1"])
async def test_foreign_peer_is_not_local(local: FastAPI, peer: str) -> None:
    async with client_of(local, peer=peer) as client:
        assert_problem(await client.get("/v1/notes/me"), 401, "missing-principal")


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("X-Forwarded-For", "203.0.113.5", 401),
        ("X-Forwarded-For", "127.0.0.1, 203.0.113.5", 401),
        ("X-Forwarded-For", "127.0.0.1", 200),
        ("X-Real-IP", "203.0.113.5", 401),
        ("Forwarded", "for=127.0.0.1", 401),
    ],
)
async def test_proxy_speaking_for_others_is_not_local(
    client: AsyncClient, header: str, value: str, status: int
) -> None:
    assert (await client.get("/v1/notes/me", headers={header: value})).status_code == status


@pytest.mark.parametrize("sent", ["Bearer crm_000000000000_x", "Bearer ", "Basic YTpi", "crm"])
async def test_wrong_token_is_refused_even_here(local: FastAPI, sent: str) -> None:
    async with client_of(local) as client:
        answer = await client.get("/v1/notes/me", headers={"Authorization": sent})
        assert_problem(answer, 401, "missing-principal")
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_token_outranks_local_user(local: FastAPI, reader: str) -> None:
    async with client_of(local) as client:
        me = (await client.get("/v1/notes/me", headers=bearer(reader))).json()
        assert (me["name"], me["rights"]) == ("Rae", ["read"])


async def test_revoked_token_is_refused_at_once(
    public: FastAPI, tokens: TokenFile, writer: str
) -> None:
    async with client_of(public) as client:
        assert (await client.get("/v1/notes/me", headers=bearer(writer))).status_code == 200
        elsewhere = TokenFile(tokens.path)
        elsewhere.revoke(writer.split("_")[1])
        assert (await client.get("/v1/notes/me", headers=bearer(writer))).status_code == 401


async def test_rights_limit_what_a_token_does(public: FastAPI, reader: str, writer: str) -> None:
    async with client_of(public) as client:
        write = await client.post("/v1/notes", json={"text": "a"}, headers=bearer(reader))
        assert assert_problem(write, 403, "forbidden")["right"] == "write"
        audit = await client.get("/v1/notes/audit", headers=bearer(writer))
        assert assert_problem(audit, 403, "forbidden")["right"] == "admin"


async def test_a_question_in_a_body_needs_only_the_right_to_read(
    tokens: TokenFile, reader: str
) -> None:
    router = Router()

    @router.post("/v1/things/{name}/what-if")
    @reads_only
    def what_if(name: str) -> dict[str, str]:
        return {"name": name}

    @router.post("/v1/things/{name}")
    def write(name: str) -> dict[str, str]:
        return {"name": name}

    principals = Principals("0.0.0.0", tokens=tokens)  # noqa: S104
    app = create_app("Things", "things", [router], principals=principals, readiness={})
    async with client_of(app) as client:
        asked = await client.post("/v1/things/a/what-if", headers=bearer(reader))
        assert asked.status_code == 200
        for path in ("/v1/things/a", "/v1/things/a/what-if/b", "/v1/other"):
            refused = await client.post(path, headers=bearer(reader))
            assert assert_problem(refused, 403, "forbidden")["right"] == "write"
        assert (await client.put("/v1/things/a/what-if", headers=bearer(reader))).status_code == 403
        assert (await client.post("/v1/things/a/what-if")).status_code == 401


async def test_stranger_is_refused_before_body_is_read(public: FastAPI) -> None:
    async with client_of(public) as client:
        answer = await client.post("/v1/notes", content=b"{", headers={"Content-Length": "9999999"})
        assert_problem(answer, 401, "missing-principal")
        assert_problem(await client.get("/v1/nothing"), 401, "missing-principal")
        assert_problem(await client.get("/openapi.json"), 401, "missing-principal")


async def test_probes_are_open_to_all(public: FastAPI) -> None:
    async with client_of(public) as client:
        for path in ("/livez", "/readyz", "/metrics", "/problems"):
            assert (await client.get(path)).status_code == 200


async def test_broken_tokens_file_lets_nobody_in(
    public: FastAPI, tokens: TokenFile, writer: str
) -> None:
    tokens.path.write_text("{}}")
    async with client_of(public) as client:
        answer = await client.get("/v1/notes/me", headers=bearer(writer))
        assert_problem(answer, 503, "unavailable")
        assert str(tokens.path) not in answer.text


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", ""]
)
async def test_foreign_host_name_is_misdirected(client: AsyncClient, host: str) -> None:
    assert_problem(await client.get("/v1/notes", headers={"Host": host}), 421, "misdirected")


@pytest.mark.parametrize("host", ["localhost:9", "127.0.0.2", "[::1]:80", "crm.localhost"])
async def test_names_of_this_machine_are_taken(client: AsyncClient, host: str) -> None:
    assert (await client.get("/v1/notes", headers={"Host": host})).status_code == 200


async def test_allowed_host_name_is_taken(make_app: MakeApp) -> None:
    async with client_of(make_app(allowed_hosts=["CRM.internal"])) as client:
        answer = await client.get("/v1/notes", headers={"Host": "crm.internal:8000"})
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:3000"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}, 201),
        ({"Sec-Fetch-Site": "none"}, 201),
    ],
)
async def test_other_sites_cannot_write(
    client: AsyncClient, notes: Notes, headers: dict[str, str], status: int
) -> None:
    answer = await client.post("/v1/notes", json={"text": "a"}, headers=headers)
    assert answer.status_code == status
    assert len(notes.causes) == (status == 201)


def test_unguarded_public_address_is_refused(tokens: TokenFile) -> None:
    for given in (None, tokens):
        with pytest.raises(Unguarded, match="crm token create"):
            Principals("0.0.0.0", tokens=given, local=local_user("ada"))  # noqa: S104


@pytest.mark.parametrize("host", ["localhost", "127.9.9.9", "::1", "[::1]", "LOCALHOST."])
def test_loopback_addresses_are_known(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "localhost.evil.example", "", "*"])  # noqa: S104
def test_other_addresses_are_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_unreadable_authority_has_no_host() -> None:
    assert host_of("[::1") is None
