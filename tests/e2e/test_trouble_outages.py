"""Kafka or PostgreSQL away: what goes on, what is said at once, and how it heals by itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx
import pytest
from crm_events.ids import new_id

from tests.e2e.conftest import Deployment
from tests.e2e.flow import MONEY, Stage, expected, figures, flowing, journalled, wait_for_more
from tests.e2e.roles import GATEWAY, SERVERS, Roles
from tests.e2e.speaking import client_of, problem_of, speaking
from tests.faults.journal import Journal
from tests.support.processes import frozen_process
from tests.support.waiting import wait_until

ENOUGH = 120
SLOWEST = 2.0
"""Seconds. A command takes a few hundredths; the rest is for whoever shares the machine."""
AT_ONCE = 1.0
"""Seconds until the refusal, for the fastest of a few: a busy machine only ever adds to it."""
NEVER = 5.0
"""Seconds that no refusal takes, whoever shares the machine."""
APIS = ("contacts-api", "pipeline-api", "ticketing-api", "campaigns-api", "projections-api")


@pytest.fixture
def roles(distributed: Deployment) -> Roles:
    return Roles(distributed.folder)


@pytest.fixture
def journal(distributed: Deployment, tmp_path: Path) -> Iterator[Journal]:
    with journalled(tmp_path / "history.jsonl", distributed.crm, distributed.folder) as ours:
        yield ours


def own(roles: Roles) -> dict[str, int]:
    """The processes of the roles, which nothing that is away may end."""
    return {name: pid for name, pid in roles.pids().items() if name not in {*SERVERS, GATEWAY}}


# --- without Kafka ---


@contextmanager
def frozen(roles: Roles) -> Iterator[None]:
    """The broker takes connections and says nothing."""
    with frozen_process(roles.server("kafka")):
        yield


@contextmanager
def gone(roles: Roles) -> Iterator[None]:
    """The broker was killed, and is not started again for now."""
    supervisor = roles.supervisor
    roles.kill("kafka")
    supervisor.halt("kafka")
    try:
        yield
    finally:
        supervisor.begin("kafka")


Away = Callable[[Roles], AbstractContextManager[None]]


@pytest.mark.parametrize("away", [frozen, gone])
def test_commands_go_on_without_kafka(
    distributed: Deployment, roles: Roles, journal: Journal, away: Away
) -> None:
    """Every command is answered as fast as ever; the views come after when the broker is back."""
    crm, stage, pids = distributed.crm, Stage.made(distributed.crm), own(roles)
    before = figures(crm, stage)
    with away(roles), client_of(crm) as client:
        with flowing(journal, stage.stories()):
            wait_for_more(journal, ENOUGH)
        asked = {"pipeline": stage.pipeline}
        seen = client.get("/v1/views/funnel", params=asked).json()["totals"]["units"]
    assert seen == 0, "the views were told of it: the broker was there"
    assert not journal.of("unknown")
    assert max(journal.seconds()) < SLOWEST
    assert median(journal.seconds()) < SLOWEST / 4
    roles.wait_ready()
    assert figures(crm, stage) - before == expected(journal)
    assert own(roles) == pids


# --- without PostgreSQL ---


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    body: object = None


def requests_of(pipeline: str) -> dict[str, Request]:
    """One that needs its database, for each API."""
    said = {"customer_id": str(new_id()), "content": "It broke.", "category": "c", "channel": "web"}
    goal = {"measure": "leads", "target": 1}
    plan = {"name": "Spring", "goal": goal, "budget": MONEY, "channels": ["web"]}
    return {
        "contacts-api": Request("POST", "/v1/contacts/leads", {"name": "Ada", "source": "web"}),
        "pipeline-api": Request("POST", "/v1/pipeline/deals", {"pipeline": pipeline}),
        "ticketing-api": Request("POST", "/v1/ticketing/feedback", said),
        "campaigns-api": Request("POST", "/v1/campaigns/campaigns", plan),
        "projections-api": Request("GET", "/v1/views/funnel"),
    }


def sent(client: httpx.Client, request: Request, key: str) -> httpx.Response:
    return client.request(
        request.method, request.path, json=request.body, headers={"Idempotency-Key": key}
    )


def refused(client: httpx.Client, request: Request, key: str) -> float:
    """Seconds until it was refused as unavailable."""
    began = time.monotonic()
    answer = sent(client, request, key)
    seconds = time.monotonic() - began
    assert answer.status_code == 503, f"{request}: {answer.text}"
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) >= 1
    return seconds


def test_without_postgres_every_api_says_so_and_heals(
    distributed: Deployment, roles: Roles
) -> None:
    stage, pids = Stage.made(distributed.crm), own(roles)
    before = figures(distributed.crm, stage)
    requests = requests_of(stage.pipeline)
    keys = {name: new_id().hex for name in APIS}
    token = distributed.crm.environment["CRM_TOKEN"]
    addresses = {name: roles.address(name) for name in APIS}
    roles.supervisor.halt("postgres")
    try:
        for name in APIS:
            with speaking(addresses[name], token) as direct, client_of(distributed.crm) as gateway:
                problem_of(sent(direct, requests[name], keys[name]), 503, "unavailable")
                for client in (direct, gateway):
                    took = [refused(client, requests[name], keys[name]) for _ in range(3)]
                    assert min(took) < AT_ONCE, f"{name} refused after {took} seconds"
                    assert max(took) < NEVER, f"{name} refused after {took} seconds"
                assert httpx.get(f"{addresses[name]}/livez").status_code == 200
    finally:
        roles.supervisor.begin("postgres")
    with client_of(distributed.crm) as client:
        for name in APIS:
            answers = lambda n=name: sent(client, requests[n], keys[n]).is_success  # noqa: E731
            wait_until(answers, f"{name} answers again", 60)
    roles.wait_ready()
    changed = figures(distributed.crm, stage) - before
    assert (changed.deals, changed.leads, changed.tickets, changed.orders) == (1, 1, 1, 0)
    assert own(roles) == pids
