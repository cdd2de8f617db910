from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime

import pytest
from crm_service.app import Edge, create_app
from crm_service.principals import Principals, local_user
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from tests.service.notes import ERRORS, Notes, failing_router, notes_router
from tests.support import logs

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MakeApp = Callable[..., FastAPI]


def local_principals() -> Principals:
    return Principals("127.0.0.1", local=local_user("ada"))


def client_of(app: FastAPI, *, peer: str = "127.0.0.1", **options: object) -> AsyncClient:
    transport = ASGITransport(app, client=(peer, 50_000))
    return AsyncClient(transport=transport, base_url="http://localhost", **options)  # type: ignore[arg-type]


@pytest.fixture(scope="package", autouse=True)
def quiet_logs() -> Iterator[None]:
    logs.silent()
    yield
    logs.plain()


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def make_app(notes: Notes) -> MakeApp:
    def make(principals: Principals | None = None, **edge: object) -> FastAPI:
        return create_app(
            "Notes",
            "notes",
            [notes_router(notes), failing_router(notes)],
            principals=principals or local_principals(),
            readiness={},
            errors=ERRORS,
            edge=Edge(clock=lambda: NOON, **edge),  # type: ignore[arg-type]
        )

    return make


@pytest.fixture
async def client(make_app: MakeApp) -> AsyncIterator[AsyncClient]:
    async with client_of(make_app()) as opened:
        yield opened
