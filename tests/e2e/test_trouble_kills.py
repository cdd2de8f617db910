"""kill -9 of every process in turn while commands flow: what was acknowledged is there, once; and
of the one that does a rebuild."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from crm_events.crashing import EXIT_CODE
from crm_events.ids import new_id
from crm_service.commands import command_id
from crm_service.principals import Principal

from tests.e2e.conftest import Deployment
from tests.e2e.flow import Stage, expected, figures, flowing, journalled, wait_for_more
from tests.e2e.remembered import money, noon
from tests.e2e.roles import GATEWAY, SERVERS, Roles, caller
from tests.e2e.stores import CONTEXTS, Stores, stores_of_roles
from tests.e2e.working import Work, at_work
from tests.faults.journal import Journal
from tests.support.waiting import wait_until

BETWEEN = 12
"""Operations that are acknowledged between one kill and the next."""
PROJECTION, VIEW = "projections-retention", "retention"
ORDERS = 20
SECONDS = 120


def killed_in_turn(roles: Roles, journal: Journal) -> dict[str, int]:
    """Kill every process once, in every copy; answers who was killed."""
    killed = {}
    for name in [*roles.names(), GATEWAY, *SERVERS]:
        roles.wait_running(name)
        wait_for_more(journal, BETWEEN)
        journal.remark(f"kill -9 {name}")
        killed[name] = roles.kill(name)
    return killed


def test_every_process_killed_in_turn(distributed: Deployment, tmp_path: Path) -> None:
    roles, stage = Roles(distributed.folder), Stage.made(distributed.crm)
    before = figures(distributed.crm, stage)
    with stores_of_roles(roles) as stores:
        types_before = types_of(stores)
    with journalled(tmp_path / "history.jsonl", distributed.crm, distributed.folder) as journal:
        with flowing(journal, stage.stories()):
            killed = killed_in_turn(roles, journal)
            wait_for_more(journal, BETWEEN)
        roles.wait_ready()
        assert journal.of("unknown"), "no answer was lost: the kills came at the wrong moments"
        journal.resolve()
    assert not {name for name, pid in killed.items() if roles.pids()[name] == pid}
    assert not journal.of("unknown")
    assert figures(distributed.crm, stage) - before == expected(journal)
    with stores_of_roles(roles) as stores:
        each_command_was_done_once(stores, journal, caller(distributed.folder))
        reactions_were_done_once(types_of(stores) - types_before, journal)
        assert stores.differences() == {}


def types_of(stores: Stores) -> Counter[str]:
    every: Counter[str] = Counter()
    for context in CONTEXTS:
        every += stores.types(context)
    return every


def each_command_was_done_once(stores: Stores, journal: Journal, by: Principal) -> None:
    """Every operation wrote the events of its kind, no more and no less."""
    written = stores.events_by_command()
    by_kind: dict[str, Counter[int]] = {}
    for operation in journal.of("ok"):
        count = written[command_id(by, operation.id)]
        by_kind.setdefault(operation.kind, Counter())[count] += 1
    wrong = {kind: found for kind, found in by_kind.items() if len(found) > 1 or found[0]}
    assert not wrong, wrong


def reactions_were_done_once(types: Counter[str], journal: Journal) -> None:
    now = expected(journal)
    found = {name: types[name] for name in ("DealOpened", "LeadCaptured", "TicketOpened")}
    assert found == {
        "DealOpened": now.deals,
        "LeadCaptured": now.leads,
        "TicketOpened": now.tickets,
    }


def test_a_rebuild_whose_process_dies_is_gone_on_with(distributed: Deployment) -> None:
    """It dies of itself once it has filled a part, which no kill from outside could time."""
    roles = Roles(distributed.folder)
    with at_work(distributed) as work:
        for day in range(1, ORDERS + 1):
            asked = {"customer_id": str(new_id()), "total": money(day)}
            work.say("pipeline/orders", **asked, occurred_at=noon(f"2026-01-{day:02}"))
        work.settle()
        told = roles.environment(PROJECTION)
        roles.supervisor.halt(PROJECTION)
        try:
            job = work.say("views/jobs", kind="rebuild", view=VIEW)
            dying = subprocess.run(
                [sys.executable, "-m", "crm_projections", "project"],
                env={**told, "CRM_CRASH_AT": "rebuilding"},
                timeout=SECONDS,
                check=False,
            )
        finally:
            roles.supervisor.begin(PROJECTION)
        assert dying.returncode == EXIT_CODE
        wait_until(lambda: job_of(work, job)["ended_at"], "the rebuild has ended", SECONDS)
        done = job_of(work, job)
        assert (done["status"], 0 < done["continued"] <= done["events"]) == ("done", True), done
        assert work.json("verify", "views", VIEW)[0]["equal"]


def job_of(work: Work, job: Any) -> Any:
    return work.transport.send("GET", f"/v1/views/jobs/{job['id']}")
