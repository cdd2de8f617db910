from __future__ import annotations

import re
from uuid import UUID

import pytest
from crm_service.commands import command_id, fingerprint, version_of
from crm_service.principals import Principal
from crm_service.problems import RequestRefused
from httpx import AsyncClient

from tests.service.conftest import NOON
from tests.service.notes import Notes
from tests.service.test_problems import assert_problem

ANNA = Principal("user:1", "Anna", frozenset({"write"}))
BERT = Principal("user:11", "Bert", frozenset({"write"}))
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def test_command_has_its_cause(client: AsyncClient, notes: Notes) -> None:
    correlation = "0192d3f4-0000-7000-8000-00000000abcd"
    headers = {"Idempotency-Key": "k1", "X-Correlation-Id": correlation, "traceparent": TRACE}
    answer = await client.post("/v1/notes", json={"text": "a"}, headers=headers)
    cause = notes.causes[0]
    assert cause.correlation_id == UUID(correlation)
    assert cause.causation_id is None
    assert (cause.actor, cause.origin, cause.at) == ("local:ada", "live", NOON)
    assert cause.traceparent == TRACE
    assert answer.headers["x-correlation-id"] == correlation


async def test_key_and_body_decide_command_and_fingerprint(
    client: AsyncClient, notes: Notes
) -> None:
    async def send(key: str, text: str) -> None:
        await client.post("/v1/notes", json={"text": text}, headers={"Idempotency-Key": key})

    for key, text in (("k1", "a"), ("k1", "a"), ("k1", "b"), ("k2", "a")):
        await send(key, text)
    first, again, other_body, other_key = notes.causes
    assert (first.command_id, first.fingerprint) == (again.command_id, again.fingerprint)
    assert first.command_id == other_body.command_id
    assert first.fingerprint != other_body.fingerprint
    assert first.command_id != other_key.command_id


async def test_commands_without_key_are_all_new(client: AsyncClient, notes: Notes) -> None:
    for _ in range(2):
        await client.post("/v1/notes", json={"text": "a"})
    assert notes.causes[0].command_id != notes.causes[1].command_id


def test_same_key_of_two_principals_is_two_commands() -> None:
    assert command_id(ANNA, "1k") != command_id(BERT, "k")
    assert command_id(ANNA, "k") == command_id(ANNA, "k")


def test_fingerprint_covers_method_target_and_body() -> None:
    prints = {
        fingerprint(*request)
        for request in (
            ("POST", "/a?", b"x"),
            ("PUT", "/a?", b"x"),
            ("POST", "/b?", b"x"),
            ("POST", "/a?c", b"x"),
            ("POST", "/a?", b"y"),
        )
    }
    assert len(prints) == 5


@pytest.mark.parametrize("key", ["", "k" * 201])
async def test_impossible_key_is_refused(client: AsyncClient, key: str) -> None:
    headers = {"Idempotency-Key": key}
    answer = await client.post("/v1/notes", json={"text": "a"}, headers=headers)
    errors = assert_problem(answer, 422, "validation")["errors"]
    assert errors[0]["field"] == "idempotency-key"  # type: ignore[index]


async def test_creation_answers_where_and_which_version(client: AsyncClient) -> None:
    headers = {"Idempotency-Key": "k1"}
    answer = await client.post("/v1/notes", json={"text": "ab"}, headers=headers)
    body = answer.json()
    position = body["position"]
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/notes/{body['id']}"
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["crm-position"] == f"notes/{position['partition']}/12"
    assert (body["version"], body["language"]) == (1, "ab")
    assert "idempotency-replayed" not in answer.headers


async def test_repetition_answers_the_same_and_says_so(client: AsyncClient) -> None:
    headers = {"Idempotency-Key": "k1"}
    first = await client.post("/v1/notes", json={"text": "ab"}, headers=headers)
    again = await client.post("/v1/notes", json={"text": "ab"}, headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"


async def test_etag_goes_round(client: AsyncClient) -> None:
    made = await client.post("/v1/notes", json={"text": "ab"})
    path, headers = made.headers["location"], {"If-Match": made.headers["etag"]}
    changed = await client.patch(path, json={"text": "b"}, headers=headers)
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    stale = await client.patch(path, json={"text": "c"}, headers=headers)
    assert_problem(stale, 412, "stale-version")


@pytest.mark.parametrize(
    ("tag", "version"), [('"7"', 7), (' "12" ', 12), ("*", None), (None, None)]
)
def test_strong_tags_are_versions(tag: str | None, version: int | None) -> None:
    assert version_of(tag) == version


@pytest.mark.parametrize("tag", ['W/"7"', "7", '"7", "8"', '"0"', '"-1"', '"x"', '""', '"٧"', ""])
def test_other_tags_are_refused(tag: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        version_of(tag)
    assert refused.value.problem.slug == "malformed-request"


async def test_correlation_id_is_made_or_refused(client: AsyncClient) -> None:
    made = (await client.get("/v1/notes")).headers["x-correlation-id"]
    assert re.fullmatch(r"[0-9a-f-]{14}7[0-9a-f-]{21}", made)
    answer = await client.get("/v1/notes", headers={"X-Correlation-Id": "not one"})
    assert_problem(answer, 400, "malformed-request")


@pytest.mark.parametrize(
    "sent", ["", "00-xyz", f"{TRACE}-more", f"00-{'0' * 32}-00f067aa0ba902b7-01", f"ff{TRACE[2:]}"]
)
async def test_malformed_trace_is_ignored(client: AsyncClient, notes: Notes, sent: str) -> None:
    await client.post("/v1/notes", json={"text": "a"}, headers={"traceparent": sent})
    assert notes.causes[0].traceparent is None
