"""A small history over every context, with corrections of the past that came later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from crm_events.ids import new_id
from crm_ticketing.application.surveys import survey_id

from tests.e2e.working import CURRENCY, VIEWS, Work

AS_OF = "2026-02-28"
LATER = "2026-03-31"
STAGES = [{"key": "ask", "probability": 0.2}, {"key": "offer", "probability": 0.6}]
DEALS = (("2026-01-05", "2026-02-10"), ("2026-01-20", "2026-03-12"), ("2026-02-01", None))
"""When each was opened and won; each is for a hundred more than the one before."""
ORDERS = ("2026-01-15", "2026-02-20", "2026-03-03")


@dataclass(frozen=True)
class History:
    """`known_at` lies between what happened and its correction; `before` is what the views said
    of AS_OF then."""

    work: Work
    pipeline: str
    deals: Sequence[str]
    lead: str
    ticket: str
    known_at: str
    before: Mapping[str, Any]

    def question(self, view: str) -> tuple[str, ...]:
        """The view, of nobody else's deals."""
        return (view, "--set", f"pipeline={self.pipeline}") if view == "funnel" else (view,)

    def now(self, view: str, *options: str) -> Any:
        """The figures of AS_OF."""
        return figures(self.work.json("as-of", AS_OF, *self.question(view), *options))


def figures(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {name: answer.get(name) for name in ("totals", "rows", "groups")}


def money(amount: int) -> dict[str, str]:
    return {"amount": str(amount), "currency": CURRENCY}


def noon(day: str) -> str:
    return f"{day}T12:00:00Z"


def told(work: Work) -> History:
    pipeline = f"evidence-{new_id().hex[-8:]}"
    work.say("pipeline/pipelines", key=pipeline, stages=STAGES, occurred_at=noon("2026-01-01"))
    lead = _responded(work)
    deals = [_sold(work, pipeline, number, *days) for number, days in enumerate(DEALS, start=1)]
    customer = str(new_id())
    for day in ORDERS:
        _ordered(work, customer, day)
    ticket = _asked(work, customer)
    known_at = work.known_for_good()
    history = History(work, pipeline, deals, lead, ticket, known_at, {})
    before = {view: history.now(view) for view in VIEWS}
    _correct(work, deals[-1], customer)
    work.settle()
    return History(work, pipeline, deals, lead, ticket, known_at, before)


def _responded(work: Work) -> str:
    """The lead that was captured because somebody responded."""
    goal = {"measure": "leads", "target": 9}
    plan = {"name": "evidence", "goal": goal, "budget": money(10), "channels": ["web"]}
    campaign = f"campaigns/campaigns/{work.say('campaigns/campaigns', **plan)['id']}"
    work.say(f"{campaign}:launch")
    answer = work.say(f"{campaign}/responses", channel="web", name="Grace")
    return str(answer["lead_id"])


def _sold(work: Work, pipeline: str, number: int, opened: str, won: str | None) -> str:
    said = {"amount": money(100 * number), "occurred_at": noon(opened)}
    id = str(work.say("pipeline/deals", pipeline=pipeline, **said)["id"])
    if won is not None:
        work.say(f"pipeline/deals/{id}:advance", stage="offer", occurred_at=noon(won))
        work.say(f"pipeline/deals/{id}:win", occurred_at=noon(won))
    return id


def _ordered(work: Work, customer: str, day: str) -> None:
    body = {"customer_id": customer, "total": money(30), "occurred_at": noon(day)}
    work.say("pipeline/orders", **body)


def _asked(work: Work, customer: str) -> str:
    """A ticket that was resolved, and whose survey was answered."""
    body = {"customer_id": customer, "category": "evidence", "channel": "web"}
    id = str(work.say("ticketing/tickets", **body, occurred_at=noon("2026-02-03"))["id"])
    work.say(f"ticketing/tickets/{id}:resolve", occurred_at=noon("2026-02-05"))
    work.settle()
    survey = f"ticketing/tickets/{id}/surveys/{survey_id(UUID(id), 1)}"
    work.say(f"{survey}:score", score=4)
    return id


def _correct(work: Work, deal: str, customer: str) -> None:
    """What was so in February, and nobody had told."""
    path, then = f"pipeline/deals/{deal}", noon("2026-02-14")
    work.say(f"{path}:amend", amount=money(777), occurred_at=then)
    work.say(f"{path}:advance", stage="offer", occurred_at=then)
    _ordered(work, customer, "2026-01-09")
    body = {"customer_id": customer, "category": "evidence", "channel": "web"}
    work.say("ticketing/tickets", **body, occurred_at=noon("2026-02-11"))
