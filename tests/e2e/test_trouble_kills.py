"""kill -9 of every process in turn while commands flow: what was acknowledged is there, once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from crm_service.commands import command_id
from crm_service.principals import Principal

from tests.e2e.conftest import Deployment
from tests.e2e.flow import Stage, expected, figures, flowing, journalled, wait_for_more
from tests.e2e.roles import GATEWAY, SERVERS, Roles, caller
from tests.e2e.stores import CONTEXTS, Stores, stores_of_roles
from tests.faults.journal import Journal

BETWEEN = 12
"""Operations that are acknowledged between one kill and the next."""


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
