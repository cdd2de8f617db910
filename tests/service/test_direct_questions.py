"""A question that can be read at once goes the short way, and is answered as on the long one."""

from __future__ import annotations

from typing import Annotated, Any, cast

import pytest
from crm_service.app import create_app
from crm_service.direct_questions import DirectQuestions, read_at_once, table_of
from crm_service.routing import Router
from fastapi import Depends, FastAPI, Query, Response
from fastapi.routing import iter_route_contexts
from starlette.types import Scope

from tests.service.conftest import client_of, local_principals

TRACED = {"x-correlation-id": "0192d3f4-0000-7000-8000-000000000001"}
SEEN: list[str] = []


def at_once(scope: Scope) -> int | None:
    name, _, number = scope["query_string"].decode().partition("=")
    return int(number) if name == "n" and number.isdigit() else None


@read_at_once(at_once)
async def number(n: Annotated[int, Query(ge=0)] = 0) -> int:
    SEEN.append("long")
    return n


def app_of() -> FastAPI:
    router = Router(prefix="/v1/numbers")

    @router.get("/{name}/named")
    async def named(name: str) -> Response:
        return Response(name)

    @router.get("/doubled")
    async def doubled(asked: int = Depends(number)) -> Response:
        return Response(str(2 * asked))

    @router.get("/hidden/named")
    async def hidden(asked: int = Depends(number)) -> Response:
        return Response(str(asked))

    @router.get("/plain")
    async def plain(n: int = 0) -> Response:
        return Response(str(n))

    return create_app("Numbers", "numbers", [router], principals=local_principals(), readiness={})


PATHS = [
    "doubled?n=2", "doubled", "doubled?n=-1", "doubled?n=x", "doubled?m=2", "doubled?n=2&n=3",
    "hidden/named?n=2", "plain?n=2", "nowhere?n=2", "doubled/?n=2",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_both_ways_answer_alike(path: str, method: str) -> None:
    app, without = app_of(), app_of()
    without.user_middleware = [
        each for each in without.user_middleware if cast(Any, each.cls) is not DirectQuestions
    ]
    assert len(without.user_middleware) == len(app.user_middleware) - 1
    answers = [await _answered(each, method, path) for each in (app, without)]
    assert answers[0] == answers[1]


async def _answered(app: FastAPI, method: str, path: str) -> object:
    async with client_of(app) as client:
        answer = await client.request(method, f"/v1/numbers/{path}", headers=TRACED)
    return answer.status_code, dict(answer.headers), answer.content


async def test_what_is_read_at_once_does_not_pass_the_dependency() -> None:
    SEEN.clear()
    assert await _body(app_of(), "doubled?n=4") == b"8"
    assert SEEN == []
    assert await _body(app_of(), "doubled") == b"0"
    assert SEEN == ["long"]


async def _body(app: FastAPI, path: str) -> bytes:
    async with client_of(app) as client:
        return (await client.get(f"/v1/numbers/{path}")).content


def test_a_path_that_another_route_answers_is_no_question() -> None:
    assert table_of(iter_route_contexts(app_of().routes)).keys() == {"/v1/numbers/doubled"}
