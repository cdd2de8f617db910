"""Commands as they flow through every context, and what the views have to say of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from crm_events.ids import new_id

from tests.e2e.roles import caller
from tests.e2e.speaking import client_of
from tests.faults.journal import Command, Journal, Unknown
from tests.support.commanding import Crm
from tests.support.waiting import wait_until

PACE = 0.1
"""Seconds between two stories of a kind."""
AFTER_TROUBLE = 1.0
"""Seconds until a client that got no answer begins something else, as Retry-After asks it to."""
STAGES = [{"key": "first", "probability": 0.2}, {"key": "second", "probability": 0.6}]
MONEY = {"amount": "10.00", "currency": "USD"}
Story = Callable[[Journal], None]


@dataclass(frozen=True)
class Stage:
    """What the stories play on: a pipeline and a campaign of a test's own."""

    pipeline: str
    campaign: str

    @classmethod
    def made(cls, crm: Crm) -> Stage:
        """In a deployment that runs."""
        key = f"flow-{new_id().hex[-8:]}"
        goal = {"measure": "leads", "target": 100}
        plan = {"name": key, "goal": goal, "budget": MONEY, "channels": ["web"]}
        with client_of(crm) as client:
            _posted(client, "/v1/pipeline/pipelines", {"key": key, "stages": STAGES})
            campaign = _posted(client, "/v1/campaigns/campaigns", plan)["id"]
            _posted(client, f"/v1/campaigns/campaigns/{campaign}:launch", {})
        return cls(key, campaign)

    def stories(self) -> list[Story]:
        return [self.deal, self.lead, self.response, feedback, order]

    def deal(self, journal: Journal) -> None:
        opened = journal.say(
            Command("open", "/v1/pipeline/deals", {"pipeline": self.pipeline, **PRICED})
        )
        path = f"/v1/pipeline/deals/{opened['id']}"
        journal.say(Command("advance", f"{path}:advance", {"stage": "second"}))
        journal.say(Command("win", f"{path}:win", {}))

    def lead(self, journal: Journal) -> None:
        captured = journal.say(
            Command("capture", "/v1/contacts/leads", {"name": "Ada", "source": "flow"})
        )
        path = f"/v1/contacts/leads/{captured['id']}"
        journal.say(Command("qualify", f"{path}:qualify", {}))
        journal.say(Command("convert", f"{path}:convert", {"pipeline": self.pipeline}))

    def response(self, journal: Journal) -> None:
        path = f"/v1/campaigns/campaigns/{self.campaign}/responses"
        journal.say(Command("respond", path, {"channel": "web", "name": "Grace"}))


PRICED = {"amount": MONEY}


def feedback(journal: Journal) -> None:
    said = {"customer_id": str(new_id()), "content": "It broke.", "category": "flow"}
    journal.say(Command("feedback", "/v1/ticketing/feedback", {**said, "channel": "web"}))


def order(journal: Journal) -> None:
    journal.say(
        Command("order", "/v1/pipeline/orders", {"customer_id": str(new_id()), "total": MONEY})
    )


@contextmanager
def journalled(file: Path, crm: Crm, folder: Path) -> Iterator[Journal]:
    """A client of a deployment that remembers its operations in this file."""
    with client_of(crm) as client, closing(Journal(file, lambda _: client, caller(folder))) as ours:
        yield ours


@contextmanager
def flowing(journal: Journal, stories: list[Story]) -> Iterator[None]:
    """Stories told side by side, each again and again, until the block ends."""
    stop = threading.Event()
    with ThreadPoolExecutor(len(stories)) as pool:
        told: list[Future[None]] = [pool.submit(_tell, journal, s, stop) for s in stories]
        try:
            yield
        finally:
            stop.set()
        for each in told:
            each.result()


def _tell(journal: Journal, story: Story, stop: threading.Event) -> None:
    pause = PACE
    while not stop.wait(pause):
        try:
            story(journal)
            pause = PACE
        except Unknown:
            pause = AFTER_TROUBLE


def wait_for_more(journal: Journal, operations: int, seconds: float = 60) -> None:
    """Until so many more operations have been acknowledged."""
    wanted = journal.acknowledged() + operations
    wait_until(lambda: journal.acknowledged() >= wanted, f"{operations} more are ok", seconds)


# --- what views say ---


@dataclass(frozen=True)
class Figures:
    """Totals of the views that a flow moves."""

    deals: int
    won: int
    leads: int
    tickets: int
    orders: int

    def __sub__(self, other: Figures) -> Figures:
        pairs = {name: getattr(self, name) - getattr(other, name) for name in _NAMES}
        return Figures(**pairs)


_NAMES = tuple(Figures.__dataclass_fields__)


def figures(crm: Crm, stage: Stage) -> Figures:
    """Once everything that was written has been reacted to and seen."""
    deals = crm.view("funnel", "--set", f"pipeline={stage.pipeline}")["totals"]
    with client_of(crm) as client:
        ask = partial(_totals, client)
        return Figures(
            deals=deals["units"],
            won=deals["won"],
            leads=ask("funnel", pipeline="leads")["units"],
            tickets=ask("satisfaction")["tickets"],
            orders=ask("retention")["orders"],
        )


def expected(journal: Journal) -> Figures:
    """What acknowledged operations make of the views, with what reactions add."""

    def count(kind: str) -> int:
        return len(journal.of("ok", kind))

    return Figures(
        deals=count("open") + count("convert"),
        won=count("win"),
        leads=count("capture") + count("respond"),
        tickets=count("feedback"),
        orders=count("order"),
    )


def _totals(client: httpx.Client, view: str, **asked: str) -> Mapping[str, Any]:
    answer = client.get(f"/v1/views/{view}", params=asked)
    assert answer.status_code == 200, answer.text
    found: Mapping[str, Any] = answer.json()["totals"]
    return found


def _posted(client: httpx.Client, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    answer = client.post(path, json=dict(body))
    assert answer.is_success, answer.text
    found: Mapping[str, Any] = answer.json()
    return found
