from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from crm_events.application import LostRace, NotFound, StaleVersion
from crm_service.problems import COMMON, Kind, Registry
from crm_service.routing import MIB
from httpx import AsyncClient, Response

from tests.service.notes import ERRORS, SECRET, Notes, NoteSealed, Unregistered

UNKNOWN = "00000000-0000-7000-8000-000000000001"


def assert_problem(answer: Response, status: int, slug: str) -> dict[str, object]:
    body: dict[str, object] = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, body["status"], body["type"]) == (
        status,
        status,
        f"/problems/{slug}",
    )
    assert body["instance"] == f"urn:uuid:{answer.headers['x-correlation-id']}"
    assert body["title"]
    assert body["detail"]
    return body


async def test_wrong_fields_are_named_with_reasons(client: AsyncClient) -> None:
    answer = await client.post(
        "/v1/notes", json={"amount": {"amount": 12.5, "currency": "euro"}, "colour": "red"}
    )
    body = assert_problem(answer, 422, "validation")
    assert body["errors"] == [
        {"in": "body", "field": "text", "reason": "required"},
        {
            "in": "body",
            "field": "amount.amount",
            "reason": 'send a decimal string such as "1250.00"',
        },
        {
            "in": "body",
            "field": "amount.currency",
            "reason": "String should match pattern '^[A-Z]{3}$'",
        },
        {"in": "body", "field": "colour", "reason": "unknown field"},
    ]


async def test_place_in_list_is_named(client: AsyncClient) -> None:
    answer = await client.post("/v1/notes/import", json=[{"text": "a"}, {"text": 7}])
    errors = assert_problem(answer, 422, "validation")["errors"]
    assert errors == [
        {"in": "body", "field": "[1].text", "reason": "Input should be a valid string"}
    ]


async def test_many_errors_are_cut_short(client: AsyncClient) -> None:
    answer = await client.post("/v1/notes/import", json=[{}] * 5000)
    body = assert_problem(answer, 422, "validation")
    assert len(body["errors"]) == 50  # type: ignore[arg-type]
    assert str(body["detail"]).endswith("and 4995 more.")


async def test_missing_body_is_required(client: AsyncClient) -> None:
    body = assert_problem(await client.post("/v1/notes"), 422, "validation")
    assert body["errors"] == [{"in": "body", "field": "", "reason": "required"}]


@pytest.mark.parametrize(
    "content",
    [b'{"text": ', b'{"text": NaN}', b'{"text": "\xff"}', b'{"text": "\\ud800"}', b"[" * 5000],
)
async def test_malformed_json_is_refused(client: AsyncClient, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await client.post("/v1/notes", content=content, headers=headers)
    assert_problem(answer, 400, "malformed-json")


@pytest.mark.parametrize(
    ("content", "status"),
    [(rb'{"text": "a\u0000b"}', 400), (rb'{"text": "a\\u0000b"}', 201), (rb'"\\\u0000"', 400)],
)
async def test_nul_character_never_reaches_store(
    client: AsyncClient, content: bytes, status: int
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await client.post("/v1/notes", content=content, headers=headers)
    assert answer.status_code == status


@pytest.mark.parametrize("path", ["/v1/notes?cursor=a%00b", "/v1/notes/a%00b"])
async def test_nul_in_address_is_refused(client: AsyncClient, path: str) -> None:
    assert_problem(await client.get(path), 400, "malformed-request")


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/jsonx", ""])
async def test_other_media_types_are_refused(client: AsyncClient, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    answer = await client.post("/v1/notes", content=b'{"text": "a"}', headers=headers)
    assert_problem(answer, 415, "unsupported-media-type")


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/a+json"])
async def test_kinds_of_json_are_taken(client: AsyncClient, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    answer = await client.post("/v1/notes", content=b'{"text": "a"}', headers=headers)
    assert answer.status_code == 201


async def test_declared_length_is_refused_unread(client: AsyncClient) -> None:
    answer = await client.post("/v1/notes", json={"text": "x" * MIB})
    assert assert_problem(answer, 413, "too-large")["limit"] == MIB
    assert answer.headers["connection"] == "close"


async def test_streamed_body_is_cut_at_limit(client: AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 65_536
            yield b" " * 65_536

    headers = {"Content-Type": "application/json"}
    answer = await client.post("/v1/notes", content=endless(), headers=headers)
    assert_problem(answer, 413, "too-large")
    assert sent <= MIB + 2 * 65_536


async def test_bulk_route_has_own_limit(client: AsyncClient) -> None:
    larger = [{"text": "x" * MIB}, {"text": "x" * MIB}]
    assert (await client.post("/v1/notes/import", json=larger)).json() == {"count": 2}
    assert_problem(await client.post("/v1/notes/import", json=larger * 2), 413, "too-large")


async def test_unknown_query_parameter_is_refused(client: AsyncClient) -> None:
    body = assert_problem(await client.get("/v1/notes?limti=3&limit=3"), 422, "validation")
    assert body["errors"] == [{"in": "query", "field": "limti", "reason": "unknown field"}]
    assert_problem(await client.post("/v1/notes?dry=1", json={"text": "a"}), 422, "validation")


async def test_unserved_paths_and_methods_are_problems(client: AsyncClient) -> None:
    assert_problem(await client.get("/v1/nothing"), 404, "no-such-path")
    answer = await client.delete("/v1/notes")
    assert_problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"]


async def test_domain_errors_carry_slug_and_facts(client: AsyncClient) -> None:
    sealed = assert_problem(await client.get("/v1/failing/sealed"), 409, "note-sealed")
    assert sealed["note"] == str(UUID(int=7))
    assert SECRET not in str(sealed)
    lost = assert_problem(await client.get("/v1/failing/race"), 409, "lost-race")
    assert lost["current_version"] == 9


async def test_stale_version_tells_current_one(client: AsyncClient, notes: Notes) -> None:
    notes.versions[UUID(UNKNOWN)] = 4
    answer = await client.patch(
        f"/v1/notes/{UNKNOWN}", json={"text": "a"}, headers={"If-Match": '"3"'}
    )
    assert assert_problem(answer, 412, "stale-version")["current_version"] == 4


async def test_unknown_thing_is_not_found(client: AsyncClient) -> None:
    answer = await client.patch(f"/v1/notes/{UNKNOWN}", json={"text": "a"})
    assert_problem(answer, 404, "not-found")


async def test_unregistered_slug_still_refuses(client: AsyncClient) -> None:
    body = assert_problem(await client.get("/v1/failing/unregistered"), 409, "refused")
    assert body["reason"] == "nobody-knows"


async def test_bug_tells_nothing_of_itself(client: AsyncClient) -> None:
    answer = await client.get("/v1/failing/bug")
    assert_problem(answer, 500, "internal-error")
    assert SECRET not in answer.text
    assert "Traceback" not in answer.text


async def test_store_down_says_when_to_return(client: AsyncClient) -> None:
    answer = await client.get("/v1/failing/down")
    assert_problem(answer, 503, "unavailable")
    assert answer.headers["retry-after"] == "1"
    assert SECRET not in answer.text


async def test_copy_that_is_older_than_what_is_stored_says_so(client: AsyncClient) -> None:
    answer = await client.get("/v1/failing/newer")
    detail = str(assert_problem(answer, 503, "older-program")["detail"])
    assert "crm.notes.NoteWritten.v9" in detail
    assert answer.headers["retry-after"] == "1"


async def test_every_type_leads_to_its_page(client: AsyncClient) -> None:
    listed = (await client.get("/problems")).json()
    assert {entry["type"] for entry in listed} == {f"/problems/{slug}" for slug in ERRORS}
    one = (await client.get("/problems/stale-version")).json()
    assert (one["status"], one["title"]) == (412, ERRORS["stale-version"].title)
    page = await client.get("/problems/stale-version", headers={"Accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html")
    assert ERRORS["stale-version"].title in page.text
    assert_problem(await client.get("/problems/nonsense"), 404, "not-found")


def test_slug_has_one_meaning() -> None:
    with pytest.raises(ValueError, match="not-found"):
        COMMON.extended({"not-found": Kind(410, "Gone")})
    with pytest.raises(ValueError, match="fine"):
        Registry({"fine": Kind(200, "Fine")})


def test_missing_slugs_are_found() -> None:
    assert COMMON.missing(NotFound, StaleVersion, LostRace) == []
    assert ERRORS.missing(NoteSealed, Unregistered) == ["nobody-knows"]
