"""Numbers opened over HTTP: the events behind one, and those between two instants."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from crm_events.contracts.pipeline import DealOpened, DealWon, PipelineDefined, Stage
from crm_events.envelope import Envelope
from crm_events.event import Money
from crm_projections.engine.database import Database

from tests.projections.rig import lead
from tests.projections.served import Served, serving

FIRST = Stage(key="aware", name="Aware", rank=1, probability=0.1)
OPENED = DealOpened(pipeline="sales", pipeline_version=1, stage=FIRST)


@pytest.fixture
async def served(database: Database) -> AsyncIterator[Served]:
    async with serving(database) as found:
        found.log.append(lead(0), PipelineDefined(key="sales", name="Sales", stages=(FIRST,)))
        yield found


async def _three_opened_two_won(served: Served) -> list[Envelope]:
    """Told one second after the other."""
    told = [served.log.append(lead(deal), OPENED)[0] for deal in (1, 2, 3)]
    for deal in (1, 2):
        amount = Money(amount=Decimal("10.5") * deal, currency="EUR")
        told += served.log.append(lead(deal), DealWon(stage=FIRST, amount=amount))
    await served.settle()
    return told


async def test_a_number_is_opened_into_its_events(served: Served) -> None:
    *_, first, second = await _three_opened_two_won(served)
    answer = await served.get("/funnel/why", figure="won_amount")
    assert (answer["value"], answer["events_in_all"]) == ("31.5", 2)
    found = [(event["id"], event["added"]) for event in answer["events"]]
    assert found == [(str(first.id), "10.5"), (str(second.id), "21")]
    reached = await served.get("/funnel/why", figure="reached", row="aware", limit=1)
    assert (reached["value"], len(reached["events"]), reached["events_in_all"]) == (3, 1, 3)


async def test_a_difference_is_told_by_the_events_between(served: Served) -> None:
    told = await _three_opened_two_won(served)
    second, won = told[1].occurred_at.isoformat(), told[3].occurred_at.isoformat()
    answer = await served.get("/funnel/diff", as_of_before=second, as_of=won, events=True)
    by_name = {each["figure"]: each for each in answer["figures"] if "row" not in each}
    units = by_name["units"]
    assert (units["before"], units["after"], units["difference"]) == (2, 3, 1)
    assert by_name["won_amount"]["difference"] == "10.5"
    assert by_name["open"]["difference"] == 0
    assert [event["id"] for event in answer["events"]] == [str(each.id) for each in told[2:4]]
    assert answer["inputs"]["win_rate_closed"] == ["won", "lost"]


async def test_what_is_worked_out_is_told_as_it_was_and_is(served: Served) -> None:
    told = await _three_opened_two_won(served)
    times = [told[index].occurred_at.isoformat() for index in (2, 3, 4)]
    answer = await served.get("/funnel/diff", as_of_before=times[1], as_of=times[2])
    derived = {each["figure"]: each for each in answer["derived"]}
    assert derived.keys() == answer["inputs"].keys()
    share = derived["won_share_all"]
    assert (share["before"], share["after"]) == (1 / 3, 2 / 3)
    assert share["difference"] == 2 / 3 - 1 / 3
    mean = derived["won_amount_mean"]
    assert [Decimal(mean[name]) for name in ("before", "after", "difference")] == [
        Decimal("10.5"),
        Decimal("15.75"),
        Decimal("5.25"),
    ]
    before = await served.get("/funnel", as_of=times[1])
    assert share["before"] == before["totals"]["won_share_all"]
    none = await served.get("/funnel/diff", as_of_before=times[0], as_of=times[1])
    rate = next(each for each in none["derived"] if each["figure"] == "win_rate_closed")
    assert (rate["before"], rate["after"], rate["difference"]) == (None, 1.0, None)
    grouped = await served.get("/funnel/diff", as_of_before=times[1], as_of=times[2], by="region")
    assert grouped["derived"] == answer["derived"]


async def test_what_cannot_be_opened_is_refused(served: Served) -> None:
    await served.settle()
    answer = await served.client.get("/v1/views/funnel/why", params={"figure": "win_rate_closed"})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/figure-unknown")
    missing = await served.client.get("/v1/views/funnel/why")
    assert missing.status_code == 422
