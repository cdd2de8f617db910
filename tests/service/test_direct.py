from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from threading import current_thread, main_thread
from typing import Any, cast
from uuid import UUID

import pytest
from crm_service.app import Edge, create_app
from crm_service.commands import (
    CommandCause,
    Expected,
    command_cause,
    created,
    done,
    expected_version,
)
from crm_service.direct import Direct, table_of
from crm_service.routing import Router
from crm_service.schemas import Answer
from fastapi import FastAPI, Response
from fastapi.routing import RouteContext, iter_route_contexts

from tests.service.conftest import MakeApp, client_of, local_principals
from tests.service.notes import ERRORS, Notes, WriteNote
from tests.support.contexts import stored

NOTE = UUID("0192d3f4-0000-7000-8000-00000000abcd")
CORRELATION = "0192d3f4-0000-7000-8000-000000000001"
GOOD = b'{"text": "a"}'
JSON = {"content-type": "application/json", "x-correlation-id": CORRELATION}
WITHOUT_THREADS = Edge(without_threads=True)
Asked = tuple[str, bytes, dict[str, str]]


def commands_of(notes: Notes) -> Router:
    router = Router(prefix="/v1/notes")

    @router.post("", status_code=201, response_model=Answer)
    def write_note(body: WriteNote, cause: CommandCause) -> Response:
        return created(notes.write(cause, {"language": body.text[:2]}), "/v1/notes")

    @router.post("/{id}:change", response_model=Answer)
    def change_note(id: UUID, body: WriteNote, cause: CommandCause, to: Expected) -> Response:
        return done(notes.change(cause, id, body.text, to))

    @router.post("/{id}:seal", response_model=Answer)
    def seal_note(id: UUID, cause: CommandCause) -> Response:
        return done(notes.change(cause, id, "sealed", None))

    @router.post("/{id}:count")
    def count_notes(id: UUID, factor: int = 1) -> dict[str, int]:
        return {"count": factor * notes.versions[id]}

    return router


def app_of(notes: Notes, edge: Edge = Edge()) -> FastAPI:
    return create_app(
        "Notes",
        "notes",
        [commands_of(notes)],
        principals=local_principals(),
        readiness={},
        errors=ERRORS,
        edge=edge,
    )


def without_the_short_way(app: FastAPI) -> FastAPI:
    before = len(app.user_middleware)
    app.user_middleware = [
        each for each in app.user_middleware if cast(Any, each.cls) is not Direct
    ]
    assert len(app.user_middleware) == before - 1
    return app


CHANGE, SEAL, COUNT = (
    f"/v1/notes/{NOTE}:change",
    f"/v1/notes/{NOTE}:seal",
    f"/v1/notes/{NOTE}:count",
)
ASKED: dict[str, Asked] = {
    "written": ("/v1/notes", GOOD, JSON),
    "written in another type of JSON": (
        "/v1/notes", GOOD, {**JSON, "content-type": "application/vnd.note+json"}),
    "written with a parameter": (
        "/v1/notes", GOOD, {**JSON, "content-type": "application/json; charset=utf-8"}),
    "changed": (CHANGE, GOOD, JSON),
    "changed as expected": (CHANGE, GOOD, {**JSON, "if-match": '"1"'}),
    "not as expected": (CHANGE, GOOD, {**JSON, "if-match": '"4"'}),
    "expected by a weak tag": (CHANGE, GOOD, {**JSON, "if-match": 'W/"1"'}),
    "sealed": (SEAL, b"", JSON),
    "sealed with words nobody reads": (SEAL, b"anything", JSON),
    "counted": (COUNT, b"", JSON),
    "counted twice": (f"{COUNT}?factor=2", b"", JSON),
    "nobody's note": (f"/v1/notes/{UUID(int=5)}:change", GOOD, JSON),
    "no id": ("/v1/notes/seven:change", GOOD, JSON),
    "no id and no JSON": ("/v1/notes/seven:change", b"{", JSON),
    "an escaped id": ("/v1/notes/%30192d3f4-0000-7000-8000-00000000abcd:change", GOOD, JSON),
    "a verb nobody knows": (f"/v1/notes/{NOTE}:burn", GOOD, JSON),
    "a path below": (f"/v1/notes/{NOTE}/more:change", GOOD, JSON),
    "an unknown parameter": (f"{CHANGE}?force=1", GOOD, JSON),
    "no body": (CHANGE, b"", JSON),
    "no JSON": (CHANGE, b"{", JSON),
    "no JSON by its type": (CHANGE, GOOD, {**JSON, "content-type": "text/plain"}),
    "no type": (CHANGE, GOOD, {"x-correlation-id": CORRELATION}),
    "a list": (CHANGE, b"[]", JSON),
    "no number": (CHANGE, b'{"text": NaN}', JSON),
    "a field nobody knows": (CHANGE, b'{"text": "a", "colour": "red"}', JSON),
    "two wrong fields": (CHANGE, b'{"amount": 5, "tags": "a"}', JSON),
    "a character no store takes": (CHANGE, b'{"text": "a\\u0000b"}', JSON),
    "half a pair": (CHANGE, b'{"text": "\\ud800"}', JSON),
    "an impossible key": (CHANGE, GOOD, {**JSON, "idempotency-key": "k" * 201}),
    "an impossible key and body": (CHANGE, b"{}", {**JSON, "idempotency-key": "k" * 201}),
}  # fmt: skip


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED.keys())
async def test_both_ways_answer_alike(asked: Asked) -> None:
    path, body, headers = asked
    short, bare, long = [Notes(versions={NOTE: 1}) for _ in range(3)]
    apps = app_of(short), app_of(bare, WITHOUT_THREADS), without_the_short_way(app_of(long))
    answers = [
        await _answered(app, path, body, {"idempotency-key": "k1", **headers}) for app in apps
    ]
    assert answers[0] == answers[1] == answers[2]
    fingerprints = [[c.fingerprint for c in notes.causes] for notes in (short, bare, long)]
    assert fingerprints[0] == fingerprints[1] == fingerprints[2]


async def test_without_threads_only_what_decides_one_command_is_on_the_loop() -> None:
    heard: dict[str, bool] = {}
    router = Router(prefix="/v1/notes")

    @router.post("/{id}:one", response_model=Answer)
    def one(id: UUID, cause: CommandCause) -> Response:
        heard["one"] = current_thread() is main_thread()
        return Response(f"{id} {cause.command_id}")

    @router.post("/{id}:many", response_model=Answer)
    def many(id: UUID) -> Response:
        heard["many"] = current_thread() is main_thread()
        return Response(str(id))

    for edge in (WITHOUT_THREADS, Edge()):
        app = create_app(
            "Notes", "notes", [router], principals=local_principals(), readiness={}, edge=edge
        )
        for name in ("one", "many"):
            await _answered(app, f"/v1/notes/{NOTE}:{name}", b"", JSON)
        assert heard == {"one": edge.without_threads, "many": False}


async def _answered(app: FastAPI, path: str, body: bytes, headers: dict[str, str]) -> object:
    async with client_of(app) as client:
        answer = await client.post(path, content=body, headers=headers)
    return answer.status_code, dict(answer.headers), answer.content


def test_what_asks_for_more_goes_the_long_way() -> None:
    table = table_of(iter_route_contexts(app_of(Notes()).routes))
    assert {end: len(found) for end, found in table.items()} == {
        "notes": 1,
        "change": 1,
        "seal": 1,
    }


@pytest.mark.parametrize("context", ["contacts", "pipeline", "ticketing", "campaigns"])
def test_every_command_goes_the_short_way(context: str, tmp_path: Path) -> None:
    build = import_module(f"crm_{context}.bootstrap").build
    with stored(tmp_path, context) as storage:
        routers = build(storage, "EUR").routers
        routes = [route for router in routers for route in iter_route_contexts(router.routes)]
    commands = [route for route in routes if _has_a_cause(route)]
    assert sum(map(len, table_of(commands).values())) == len(commands) >= 3


def _has_a_cause(route: RouteContext) -> bool:
    """Whether it is a command of the context's own, which answers by `done` or `created`, and asks
    for no right beyond that of the door."""
    answers = route.endpoint.__annotations__["return"] if route.endpoint else None
    asked = [each.call for each in route.dependant.dependencies]
    plain = command_cause in asked and set(asked) <= {command_cause, expected_version}
    return plain and answers == "Response"


async def test_a_body_in_pieces_arrives_whole_on_either_way(make_app: MakeApp) -> None:
    for text, status in (("a", 201), (7, 422)):
        pieces = json.dumps({"text": text}).encode()
        async with client_of(make_app()) as client:
            answer = await client.post("/v1/notes", content=_pieces(pieces), headers=JSON)
        assert answer.status_code == status


async def _pieces(body: bytes) -> Any:
    for byte in body:
        yield bytes([byte])
