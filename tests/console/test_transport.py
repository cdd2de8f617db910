"""Requests reach the application alike over the network and inside the process."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import pytest
import uvicorn
from crm_console.transport import InProcess, OverHttp, ServerSaid, ServerUnreachable, Transport
from crm_servers.ports import free_port
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route


async def echo(request: Request) -> Response:
    body = await request.body()
    return JSONResponse(
        {
            "method": request.method,
            "query": dict(request.query_params),
            "body": body.decode(),
            "after": request.headers.get("crm-after"),
        }
    )


async def refuse(request: Request) -> Response:
    given: dict[str, Any] = await request.json()
    return JSONResponse(given["problem"], given["status"])


async def fall_over(_: Request) -> Response:
    return PlainTextResponse("Bad Gateway", 502)


async def nothing(_: Request) -> Response:
    return Response(status_code=204)


class Small:
    """A hosted application that counts its comings and goings."""

    def __init__(self) -> None:
        self.entered = 0
        self.left = 0
        self.app = Starlette(
            routes=[
                Route("/echo", echo, methods=["GET", "POST"]),
                Route("/refuse", refuse, methods=["POST"]),
                Route("/fall-over", fall_over),
                Route("/nothing", nothing),
            ]
        )

    async def __aenter__(self) -> Self:
        self.entered += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        self.left += 1

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


class Unwilling(Small):
    """It cannot be started."""

    async def __aenter__(self) -> Self:
        raise LookupError("no home")


@pytest.fixture
def small() -> Small:
    return Small()


@pytest.fixture
def transport(small: Small) -> Iterator[Transport]:
    with InProcess(small) as found:
        yield found


def refused(transport: Transport, status: int, problem: Any) -> ServerSaid:
    with pytest.raises(ServerSaid) as raised:
        transport.send("POST", "/refuse", body={"status": status, "problem": problem})
    assert raised.value.status == status
    return raised.value


def test_json_goes_in_and_out_without_absent_parameters(transport: Transport) -> None:
    answer = transport.send(
        "POST",
        "/echo",
        body={"名": 1},
        query={"by": "owner", "mode": None},
        headers={"Crm-After": "contacts/*/7"},
    )
    assert answer == {
        "method": "POST",
        "query": {"by": "owner"},
        "body": '{"名":1}',
        "after": "contacts/*/7",
    }


def test_an_answer_without_content_is_none(transport: Transport) -> None:
    assert transport.send("GET", "/nothing") is None


def test_a_problem_is_told_by_its_detail(transport: Transport) -> None:
    problem = {"type": "/problems/not-found", "title": "No", "detail": "There is no deal 7."}
    said = refused(transport, 404, problem)
    assert str(said) == "There is no deal 7."
    assert said.problem["type"] == "/problems/not-found"


def test_wrong_fields_are_told_one_by_one(transport: Transport) -> None:
    errors = [
        {"in": "body", "field": "amount", "reason": "is negative"},
        {"in": "query", "reason": "unknown field"},
    ]
    said = refused(transport, 422, {"detail": "Wrong: amount.", "errors": errors})
    assert str(said) == "amount: is negative; query: unknown field"


def test_our_own_fault_has_the_id_to_look_for(transport: Transport) -> None:
    problem = {"detail": "Something failed here.", "instance": "urn:uuid:7"}
    assert str(refused(transport, 500, problem)) == "Something failed here. (urn:uuid:7)"
    assert str(refused(transport, 409, problem)) == "Something failed here."


@pytest.mark.parametrize("problem", [[], "text", {}], ids=["list", "text", "empty"])
def test_an_answer_that_is_no_problem_has_its_status(transport: Transport, problem: Any) -> None:
    assert str(refused(transport, 500, problem)) == "HTTP status 500"


def test_what_is_no_json_has_its_status(transport: Transport) -> None:
    with pytest.raises(ServerSaid, match="HTTP status 502"):
        transport.send("GET", "/fall-over")


def test_the_application_lives_as_long_as_it_is_used(small: Small) -> None:
    before = threading.active_count()
    with InProcess(small) as transport:
        transport.send("GET", "/echo")
        assert (small.entered, small.left) == (1, 0)
    assert (small.entered, small.left) == (1, 1)
    assert threading.active_count() == before


def test_an_application_that_does_not_start_leaves_no_thread() -> None:
    before = threading.active_count()
    with pytest.raises(LookupError, match="no home"), InProcess(Unwilling()):
        pass
    assert threading.active_count() == before


@dataclass
class Tired:
    """Says 503 so many times, then answers; counts how often it was asked."""

    refusals: int
    retry_after: str = "0"
    asked: int = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1
        answer: Response = JSONResponse({"asked": self.asked})
        if self.asked <= self.refusals:
            headers = {"Retry-After": self.retry_after}
            answer = JSONResponse({"detail": "Out of breath."}, 503, headers)
        await answer(scope, receive, send)


@contextmanager
def served(app: Any) -> Iterator[str]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def test_a_question_waits_until_the_server_has_its_breath_back() -> None:
    told: list[str] = []
    tired = Tired(refusals=2)
    with served(tired) as address, OverHttp(address, told=told.append) as transport:
        assert transport.send("GET", "/") == {"asked": 3}
    assert told == ["Out of breath. Asking again for up to 10 s."]


@pytest.mark.parametrize(("method", "retry_after"), [("POST", "0"), ("GET", "5"), ("GET", "")])
def test_neither_commands_nor_long_waits_are_repeated(method: str, retry_after: str) -> None:
    tired = Tired(refusals=1, retry_after=retry_after)
    with served(tired) as address, OverHttp(address) as transport:
        with pytest.raises(ServerSaid, match="Out of breath"):
            transport.send(method, "/", body={} if method == "POST" else None)
        assert tired.asked == 1


def test_nobody_at_the_address_is_one_sentence() -> None:
    address = f"http://127.0.0.1:{free_port()}"
    with OverHttp(address) as transport, pytest.raises(ServerUnreachable) as raised:
        transport.send("GET", "/v1/views")
    assert str(raised.value) == f"No answer from {address} (ConnectError); is the server running?"
