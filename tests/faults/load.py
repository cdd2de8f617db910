"""Commands at a fixed rate of arrival over all four contexts, whether they are answered or not.

Seven in ten change a thing that exists, chosen by Zipf's law; two make a new one, and one writes
several events at once or makes other contexts react.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Any, Final

from crm_events.ids import new_id

from tests.faults.journal import Answer, Command, Journal, Refused, Unknown

STAGES: Final = [{"key": "first", "probability": 0.2}, {"key": "second", "probability": 0.6}]
MONEY: Final = {"amount": "10.00", "currency": "USD"}
_HOT: Final = 500
_MOST_CHANGES: Final = 120
"""Of one thing; then another takes its place: nobody amends a deal ten thousand times."""
_HANDS: Final = 48
_WEIGHTS: Final = list(accumulate(1.0 / rank for rank in range(1, _HOT + 1)))


Heard = Callable[[Answer], None]
Errand = tuple[Sequence[Command], Heard]


@dataclass(slots=True)
class Thing:
    id: str
    changes: int = 0


class Things:
    """What was made and can be changed, of one kind; the oldest are the most wanted."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._lock = threading.Lock()
        self._known: list[Thing] = []

    def add(self, id: str) -> None:
        with self._lock:
            self._known.append(Thing(id))

    def any(self) -> str | None:
        with self._lock:
            count = min(len(self._known), _HOT)
            if not count:
                return None
            rank = self._chance.choices(range(count), cum_weights=_WEIGHTS[:count])[0]
            thing = self._known[rank]
            thing.changes += 1
            if thing.changes >= _MOST_CHANGES:
                del self._known[rank]
            return thing.id

    def take(self) -> str | None:
        """One that nobody is given again."""
        with self._lock:
            return self._known.pop().id if self._known else None


class World:
    """What commands act on: a pipeline, a campaign, and everything made meanwhile."""

    def __init__(self, journal: Journal, contexts: Sequence[str], seed: int) -> None:
        self._chance = Random(seed)
        self.journal = journal
        self._contexts = contexts
        self._choosing = threading.Lock()
        self._numbers = iter(range(1, 1 << 60))
        self.deals, self.orders = Things(self._chance), Things(self._chance)
        self.leads, self.fresh_leads = Things(self._chance), Things(self._chance)
        self.pipeline = f"flow-{new_id().hex[-8:]}"
        self.campaign = ""

    def prepare(self) -> None:
        if "pipeline" in self._contexts:
            stages = {"key": self.pipeline, "stages": STAGES}
            self.journal.say(Command("define", "/v1/pipeline/pipelines", stages))
        if "campaigns" in self._contexts:
            goal = {"measure": "leads", "target": 100}
            plan = {"name": self.pipeline, "goal": goal, "budget": MONEY, "channels": ["web"]}
            self.campaign = self.journal.say(Command("plan", "/v1/campaigns/campaigns", plan))["id"]
            launch = f"/v1/campaigns/campaigns/{self.campaign}:launch"
            self.journal.say(Command("launch", launch))

    def act(self, due: float) -> None:
        """One errand, as chance has it. What is refused or unknown is in the journal."""
        with self._choosing:
            commands, heard = self._chosen()
        try:
            for command in commands:
                heard(self.journal.say(command, due))
        except (Unknown, Refused):
            return

    def knock(self, context: str, seconds: float) -> None:
        """Ask an API for something new until it answers: at the usual rate of arrival nobody may
        ask it for a second or two, however soon it is back."""
        with self._choosing:
            (command,), _ = _CREATIONS[context](self)
        self.journal.insist(command, seconds)

    def _chosen(self) -> Errand:
        draw = self._chance.random()
        if draw < 0.7 and (change := self._change()) is not None:
            return [change], _nothing
        if draw > 0.9 and (several := self._several()):
            return several, _nothing
        return _CREATIONS[self._chance.choice(self._contexts)](self)

    def lead(self) -> Errand:
        told = {"name": "Ada", "source": "flow"}
        things = self._chance.choice([self.leads, self.fresh_leads])
        effects = {"LeadCaptured": 1}
        command = Command("capture", "/v1/contacts/leads", told, effects=effects)
        return [command], _into(things)

    def deal(self) -> Errand:
        if self._chance.random() < 0.5:
            told: dict[str, Any] = {"customer_id": str(new_id()), "total": MONEY}
            command = Command("order", "/v1/pipeline/orders", told, effects={"OrderPlaced": 1})
            return [command], _into(self.orders)
        told = {"pipeline": self.pipeline, "amount": MONEY}
        command = Command("open", "/v1/pipeline/deals", told, effects={"DealOpened": 1})
        return [command], _into(self.deals)

    def feedback(self) -> Errand:
        said = {"customer_id": str(new_id()), "content": "It broke.", "category": "flow"}
        effects = {"FeedbackReceived": 1, "TicketOpened": 1}
        told = {**said, "channel": "web"}
        return [Command("feedback", "/v1/ticketing/feedback", told, effects=effects)], _nothing

    def response(self) -> Errand:
        path = f"/v1/campaigns/campaigns/{self.campaign}/responses"
        effects = {"ResponseReceived": 1, "LeadCaptured": 1}
        told = {"channel": "web", "name": "Grace"}
        return [Command("respond", path, told, effects=effects)], _nothing

    def _change(self) -> Command | None:
        number = next(self._numbers)
        kind, things, path, body = self._chance.choice(
            [
                ("amend", self.deals, "/v1/pipeline/deals/{}:amend", {"title": f"t{number}"}),
                (
                    "amend-order",
                    self.orders,
                    "/v1/pipeline/orders/{}:amend",
                    {"source": f"s{number}"},
                ),
                ("tag", self.leads, "/v1/contacts/leads/{}:tag", {"tag": f"t{number}"}),
            ]
        )
        id = things.any()
        return None if id is None else Command(kind, path.format(id), body)

    def _several(self) -> list[Command]:
        """A lead is qualified, and then converted: three events and a reaction."""
        if "pipeline" not in self._contexts or (id := self.fresh_leads.take()) is None:
            return []
        path, effects = f"/v1/contacts/leads/{id}", {"LeadConverted": 1, "DealOpened": 1}
        into = {"pipeline": self.pipeline}
        return [
            Command("qualify", f"{path}:qualify"),
            Command("convert", f"{path}:convert", into, 3, effects),
        ]


_CREATIONS: Final[Mapping[str, Callable[[World], Errand]]] = {
    "contacts": World.lead,
    "pipeline": World.deal,
    "ticketing": World.feedback,
    "campaigns": World.response,
}


def _into(things: Things) -> Heard:
    return lambda answer: things.add(answer["id"])


def _nothing(_: Answer) -> None:
    """What was made needs no remembering."""


@contextmanager
def arriving(world: World, rate: float) -> Iterator[None]:
    """`rate` commands a second until the block ends, each begun when it is due or, where all hands
    are busy, as soon as one is free. What was begun is ended."""
    stop = threading.Event()
    with ThreadPoolExecutor(_HANDS) as hands:
        pacing = hands.submit(_pace, world, rate, hands, stop)
        try:
            yield
        finally:
            stop.set()
        pacing.result()


def _pace(world: World, rate: float, hands: ThreadPoolExecutor, stop: threading.Event) -> None:
    began, number, told = time.monotonic(), 0, []
    while not stop.is_set():
        due = began + number / rate
        if stop.wait(max(due - time.monotonic(), 0.0)):
            break
        told.append(hands.submit(world.act, due))
        number += 1
    for each in told:
        if not each.cancel():
            each.result()
