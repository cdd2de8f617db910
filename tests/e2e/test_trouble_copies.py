"""Roles in two copies: whatever one of them leaves, the other takes, and nothing is done twice."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.e2e.conftest import COPIES, Deployment
from tests.e2e.flow import Stage, expected, figures, flowing, journalled
from tests.e2e.roles import Roles
from tests.e2e.speaking import client_of
from tests.support.waiting import wait_until

SECONDS = 60
SOME = 5
"""Deals that have to be seen while a copy is away."""


def copies() -> list[str]:
    """Every copy of the roles that have more than one."""
    names = [
        [role, *(f"{role}-{n}" for n in range(2, count + 1))] for role, count in COPIES.items()
    ]
    return [name for each in names for name in each]


def units(client: httpx.Client, stage: Stage) -> int:
    answer = client.get("/v1/views/funnel", params={"pipeline": stage.pipeline})
    return int(answer.json()["totals"]["units"]) if answer.is_success else 0


def wait_until_seen(client: httpx.Client, stage: Stage, copy: str) -> None:
    """Until converted leads went through relay, reaction and view without that copy."""
    before = units(client, stage)
    wait_until(lambda: units(client, stage) > before + SOME, f"seen without {copy}", SECONDS)


def test_any_copy_does_the_work_of_both(distributed: Deployment, tmp_path: Path) -> None:
    crm, roles = distributed.crm, Roles(distributed.folder)
    stage = Stage.made(crm)
    before = figures(crm, stage)
    with (
        journalled(tmp_path / "history.jsonl", crm, distributed.folder) as journal,
        client_of(crm) as client,
        flowing(journal, [stage.lead]),
    ):
        for copy in copies():
            roles.supervisor.halt(copy)
            wait_until_seen(client, stage, copy)
            roles.supervisor.begin(copy)
            roles.wait_ready(copy)
    assert not journal.of("unknown")
    assert figures(crm, stage) - before == expected(journal)
