"""Whatever is sent, the answer is an answer: never a 5xx, and a problem when it is no success."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from crm_service.app import create_app
from httpx import Response
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.service.conftest import client_of, local_principals
from tests.service.notes import ERRORS, Notes, notes_router

TEXT = st.text(max_size=40)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
JSON = st.recursive(
    SCALARS, lambda c: st.lists(c, max_size=4) | st.dictionaries(TEXT, c, max_size=4)
)
INSTANTS = st.datetimes().map(str) | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")
NOTES = st.fixed_dictionaries(
    {"text": JSON},
    optional={
        "amount": JSON
        | st.fixed_dictionaries({"amount": JSON | st.decimals().map(str), "currency": JSON}),
        "at": JSON | INSTANTS,
        "tags": JSON,
        "\ud800": JSON,
    },
)
HEADER = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60)
JSON_TYPE = {"content-type": "application/json"}
APP = create_app(
    "Fuzzed",
    "notes",
    [notes_router(Notes())],
    principals=local_principals(),
    readiness={},
    errors=ERRORS,
)


def send(
    method: str, path: str, content: bytes = b"", headers: Mapping[str, str] = JSON_TYPE
) -> Response:
    raw = [(name.encode(), text.encode("latin-1")) for name, text in headers.items()]

    async def sent() -> Response:
        async with client_of(APP) as client:
            return await client.request(method, path, content=content, headers=raw)

    return asyncio.run(sent())


def assert_answered(answer: Response) -> None:
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        body: dict[str, Any] = answer.json()
        assert body["type"].removeprefix("/problems/") in ERRORS
        assert answer.headers["content-type"] == "application/problem+json"


@example({"text": "a", "at": "0001-01-01T00:00:00+14:00"})
@example({"text": "a", "at": "9999-12-31T23:59:59-14:00"})
@example({"text": "a", "amount": {"amount": "1E+999999", "currency": "EUR"}})
@example({"text": "a", "amount": {"amount": "NaN", "currency": "EUR"}})
@example({"text": 10**400})
@example({"\ud800": 1})
@given(NOTES | JSON)
@settings(max_examples=250, deadline=None)
def test_any_json_is_answered(value: Any) -> None:
    content = json.dumps(value).encode()
    assert_answered(send("POST", "/v1/notes", content))


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_answered(content: bytes) -> None:
    assert_answered(send("POST", "/v1/notes", content))


@given(path=st.binary(max_size=30), query=st.binary(max_size=30))
@settings(max_examples=150, deadline=None)
def test_any_address_is_answered(path: bytes, query: bytes) -> None:
    address = f"/v1/notes/{quote(path, safe='')}?after={quote(query, safe='&=+')}"
    for method in ("GET", "PATCH"):
        assert_answered(send(method, address))


NAMES = [
    "idempotency-key",
    "if-match",
    "crm-after",
    "traceparent",
    "x-correlation-id",
    "authorization",
    "origin",
    "host",
    "content-type",
    "content-length",
]


@given(st.dictionaries(st.sampled_from(NAMES), HEADER))
@settings(max_examples=250, deadline=None)
def test_any_headers_are_answered(headers: dict[str, str]) -> None:
    assert_answered(send("GET", "/v1/notes", headers=headers))
    note, content = f"/v1/notes/{'0' * 32}", b'{"text": "a"}'
    assert_answered(send("PATCH", note, content, {**JSON_TYPE, **headers}))
