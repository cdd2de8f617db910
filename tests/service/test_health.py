from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from threading import Event

import pytest
from crm_service.app import create_app
from crm_service.health import Check, NotReady, Probe, Readiness, probe_routes
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from tests.service.conftest import client_of, local_principals
from tests.service.notes import SECRET


def app_with(checks: Mapping[str, Check]) -> FastAPI:
    return create_app("T", "t", [], principals=local_principals(), readiness=checks)


def fine() -> None:
    """Everything works."""


def behind() -> None:
    raise NotReady("9 events behind")


def broken() -> None:
    raise ConnectionError(f"password={SECRET}")


@pytest.fixture
def release() -> Iterator[Event]:
    event = Event()
    yield event
    event.set()


async def test_process_without_database_still_lives() -> None:
    async with client_of(app_with({"store": broken})) as client:
        answer = await client.get("/livez")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_ready_when_every_check_passes() -> None:
    async with client_of(app_with({"store": fine, "schema": fine})) as client:
        answer = await client.get("/readyz")
    checks = {"store": {"ok": True}, "schema": {"ok": True}}
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "checks": checks})


async def test_failing_checks_are_named_with_reasons() -> None:
    async with client_of(app_with({"a": fine, "b": behind, "c": broken})) as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "failing",
        "checks": {
            "a": {"ok": True},
            "b": {"ok": False, "reason": "9 events behind"},
            "c": {"ok": False, "reason": "ConnectionError"},
        },
    }


async def test_hanging_check_is_answered_at_deadline(release: Event) -> None:
    readiness = Readiness({"hangs": lambda: void(release.wait()), "fine": fine}, deadline=0.05)
    app = Starlette(routes=probe_routes(readiness, CollectorRegistry()))
    async with client_of(app) as client:  # type: ignore[arg-type]
        checks = (await client.get("/readyz")).json()["checks"]
    assert checks["hangs"] == {"ok": False, "reason": "no answer within 0.05 s"}
    assert checks["fine"] == {"ok": True}


async def test_hanging_check_costs_one_thread(release: Event) -> None:
    started: list[int] = []

    def hangs() -> None:
        started.append(1)
        release.wait()

    probe = Probe("hangs", hangs)
    await asyncio.gather(*(probe.reason(0.05) for _ in range(5)))
    assert await probe.reason(0.05) is not None
    assert len(started) == 1
    release.set()
    assert await probe.reason(5) is None
    assert await probe.reason(5) is None
    assert len(started) == 2


def void(_: object) -> None:
    """A check answers by returning at all."""
