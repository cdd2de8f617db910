"""Every view, taken in small steps as events come, equals itself computed in one go."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from crm_events.contracts.contacts import LeadCaptured, LeadQualified, StaffRegistered
from crm_events.contracts.pipeline import (
    DealOpened,
    DealReopened,
    DealWon,
    OrderAmended,
    OrderPlaced,
    PipelineDefined,
    Stage,
    StageAdvanced,
)
from crm_events.contracts.ticketing import SurveyScored, SurveySent, TicketOpened, TicketResolved
from crm_events.event import Event, Money, Staff
from crm_projections.engine.database import Database
from crm_projections.engine.generation import open_generation
from crm_projections.engine.position import Generation
from crm_projections.views.names.projector import NamesView
from sqlalchemy import select

from tests.projections.rig import lead
from tests.projections.served import Served, serving

NAMES = ("funnel", "satisfaction", "retention", "names")
FIRST = Stage(key="first", name="First", rank=1, probability=0.1)
SECOND = Stage(key="second", name="Second", rank=2, probability=0.5)
CHANCE = 20_260_301


def _deal(owner: Staff) -> list[Event]:
    return [
        DealOpened(pipeline="sales", pipeline_version=1, stage=FIRST, owner=owner),
        StageAdvanced(pipeline_version=1, previous=FIRST, stage=SECOND),
        DealWon(stage=SECOND, owner=owner, amount=_euros(500)),
        DealReopened(pipeline_version=1, stage=SECOND),
    ]


def _ticket(survey: UUID) -> list[Event]:
    return [
        TicketOpened(category="billing", channel="phone"),
        TicketResolved(cycle=1),
        SurveySent(survey_id=survey, cycle=1, channel="mail"),
        SurveyScored(survey_id=survey, cycle=1, score=4),
        SurveyScored(survey_id=survey, cycle=1, score=2),
    ]


def _order(customer: UUID) -> list[Event]:
    return [
        OrderPlaced(customer_id=customer, total=_euros(20), source="web"),
        OrderAmended(customer_id=customer, total=_euros(30), source="shop"),
    ]


def _lead(person: UUID) -> list[Event]:
    return [LeadCaptured(person_id=person, name="Ada", source="web"), LeadQualified()]


def _euros(amount: int) -> Money:
    return Money(amount=Decimal(amount), currency="EUR")


def _histories() -> dict[UUID, list[Event]]:
    found: dict[UUID, list[Event]] = {
        lead(0): [PipelineDefined(key="sales", name="Sales", stages=(FIRST, SECOND))],
        lead(1): [StaffRegistered(name="Bo")],
    }
    for number in range(10, 50, 4):
        found[lead(number)] = _deal(Staff(id=lead(1)))
        found[lead(number + 1)] = _ticket(lead(number + 101))
        found[lead(number + 2)] = _order(lead(number % 3))
        found[lead(number + 3)] = _lead(lead(number + 103))
    return found


@pytest.fixture
async def served(database: Database) -> AsyncIterator[Served]:
    """Histories of many things, interleaved by chance, each in its own order."""
    chance, histories = random.Random(CHANCE), _histories()  # noqa: S311 - seeded, for order
    async with serving(database) as found:
        while histories:
            id = chance.choice(list(histories))
            found.log.append(id, histories[id].pop(0))
            if not histories[id]:
                del histories[id]
            if chance.random() < 0.2:
                await found.settle()
        await found.settle()
        yield found


async def test_rebuilt_equals_live_for_every_view(served: Served) -> None:
    assert served.host.failed() is None
    for name in NAMES:
        assert (await served.host.verify(name)).differences == [], name


async def test_an_answer_survives_a_rebuild(served: Served) -> None:
    end = datetime(2027, 1, 1, tzinfo=UTC).isoformat()
    for name in NAMES[:-1]:
        before = await served.get(f"/{name}", as_of=end)
        await served.host.rebuild(name)
        after = await served.get(f"/{name}", as_of=end)
        assert before == after
        assert before["citable"], before["not_citable"]
    assert before["totals"]["orders"] == 10


async def test_what_a_rebuild_replaces_keeps_no_names(served: Served, database: Database) -> None:
    """An erasure reaches only what is followed."""
    await served.host.rebuild("names")
    kept = {1: 0, 2: 0}
    with database.reading() as connection:
        for number in kept:
            opened = open_generation(NamesView(), Generation("names", number))
            for table in opened.metadata.sorted_tables:
                kept[number] += len(connection.execute(select(table)).all())
    assert kept[1] == 0 < kept[2]
