from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from anyio.to_thread import current_default_thread_limiter
from crm_service.admission import Admission
from crm_service.problems import RequestRefused
from httpx import AsyncClient

from tests.service.conftest import MakeApp, client_of
from tests.service.notes import Notes
from tests.service.test_problems import assert_problem


@pytest.fixture
async def busy(make_app: MakeApp, notes: Notes) -> AsyncIterator[AsyncClient]:
    """A client of a service whose only place is taken by a request that does not end."""
    app = make_app(threads=1)
    async with app.router.lifespan_context(app), client_of(app) as client:
        slow = asyncio.create_task(client.get("/v1/failing/slow"))
        await asyncio.to_thread(notes.entered.wait, 5)
        yield client
        notes.release.set()
        assert (await slow).json() == {"released": True}


async def test_too_many_requests_are_refused_within_a_second(busy: AsyncClient) -> None:
    began = time.monotonic()
    answers = await asyncio.gather(*(busy.get("/v1/notes") for _ in range(5)))
    assert time.monotonic() - began < 2
    for answer in answers:
        assert_problem(answer, 503, "unavailable")
        assert answer.headers["retry-after"] == "1"


async def test_probes_answer_while_service_is_busy(busy: AsyncClient) -> None:
    assert (await busy.get("/livez")).status_code == 200
    assert (await busy.get("/readyz")).status_code == 200


async def test_place_is_free_again_afterwards(busy: AsyncClient, notes: Notes) -> None:
    waiting = asyncio.create_task(busy.get("/v1/notes"))
    notes.release.set()
    assert (await waiting).status_code == 200


async def test_slow_sender_takes_no_place(make_app: MakeApp) -> None:
    app, sending, finish = make_app(threads=1), asyncio.Event(), asyncio.Event()

    async def dribble() -> AsyncIterator[bytes]:
        yield b'{"text": '
        sending.set()
        await finish.wait()
        yield b'"a"}'

    async with client_of(app) as client:
        headers = {"Content-Type": "application/json"}
        slow = asyncio.create_task(client.post("/v1/notes", content=dribble(), headers=headers))
        await sending.wait()
        assert (await client.get("/v1/notes")).status_code == 200
        finish.set()
        assert (await slow).status_code == 201


async def test_threads_are_as_many_as_connections(make_app: MakeApp) -> None:
    app = make_app(threads=3)
    async with app.router.lifespan_context(app):
        assert current_default_thread_limiter().total_tokens == 3


async def test_given_up_wait_leaves_place_countable() -> None:
    admission = Admission(1, patience=0.01)
    async with admission.place():
        with pytest.raises(RequestRefused):
            async with admission.place():
                raise AssertionError("there was no place")
    async with admission.place():
        pass


def test_service_without_places_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Admission(0)
