"""Long histories of deals, orders and tickets, as a view is told them: news of things of every age
in turns, two years of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final
from uuid import UUID

from crm_events.contracts import pipeline, ticketing
from crm_events.event import Event, Money, Staff
from crm_projections.engine.view import Received

from tests.support.envelopes import told

BEGINNING: Final = datetime(2024, 1, 1, tzinfo=UTC)
DAYS: Final = 700
_UNDER_WAY: Final = 1_000
_REGIONS: Final = ("north", "south", "east", "west")
_STAGES: Final = tuple(
    pipeline.Stage(key=key, name=key.title(), rank=rank, probability=0.2 * rank)
    for rank, key in enumerate(("meet", "offer", "sign"), start=1)
)
Thing = Iterator[tuple[Event, datetime]]
"""What happens to one thing, and when it took effect."""


@dataclass(slots=True)
class Telling:
    """Numbers events as a log does. Things go on in turns, about a thousand at a time."""

    chance: Random
    versions: dict[UUID, int] = field(default_factory=dict)
    sequence: int = 0

    def id(self) -> UUID:
        return UUID(int=self.chance.getrandbits(128))

    def told(self, unit: UUID, event: Event, at: datetime) -> Received:
        self.sequence += 1
        self.versions[unit] = version = self.versions.get(unit, 0) + 1
        id = self.id()
        envelope = told(
            event.TYPE,
            unit,
            version,
            self.sequence,
            BEGINNING + timedelta(seconds=self.sequence),
            id=id,
            occurred_at=at,
            correlation_id=id,
            command_id=id,
        )
        return Received(envelope, event)

    def turns(self, begin: Callable[[Random], Thing]) -> Iterator[Received]:
        going: deque[tuple[UUID, Thing]] = deque()
        while True:
            if len(going) < _UNDER_WAY:
                going.append((self.id(), begin(self.chance)))
            unit, thing = going.popleft()
            if (step := next(thing, None)) is not None:
                yield self.told(unit, *step)
                going.append((unit, thing))


def _some_day(chance: Random) -> datetime:
    return BEGINNING + timedelta(seconds=chance.randrange(DAYS * 86_400))


def _later(chance: Random, at: datetime) -> datetime:
    return at + timedelta(seconds=chance.randint(3_600, 20 * 86_400))


def _staff(chance: Random) -> Staff:
    region = chance.choice(_REGIONS)
    return Staff(id=UUID(int=chance.randrange(20)), team=region, region=region)


def deals(chance: Random) -> Iterator[Received]:
    telling = Telling(chance)
    defined = pipeline.PipelineDefined(key="sales", name="Sales", stages=_STAGES)
    yield telling.told(telling.id(), defined, BEGINNING)
    yield from telling.turns(_deal)


def _deal(chance: Random) -> Thing:
    at, before = _some_day(chance), _STAGES[0]
    yield (
        pipeline.DealOpened(
            pipeline="sales",
            pipeline_version=1,
            stage=before,
            owner=_staff(chance),
            region=chance.choice(_REGIONS),
            amount=Money(amount=Decimal(chance.randint(100, 9_999)), currency="EUR"),
        ),
        at,
    )
    for stage in _STAGES[1:]:
        at = _later(chance, at)
        yield pipeline.StageAdvanced(pipeline_version=1, previous=before, stage=stage), at
        before = stage
    won = chance.random() < 0.6
    ending = pipeline.DealWon(stage=before) if won else pipeline.DealLost(stage=before, reason="no")
    yield ending, _later(chance, at)


def orders(chance: Random) -> Iterator[Received]:
    """A third of them are first orders; one of a hundred is amended."""
    telling = Telling(chance)
    customers = [telling.id()]
    while True:
        if chance.random() < 1 / 3:
            customers.append(telling.id())
        order = pipeline.OrderPlaced(
            customer_id=chance.choice(customers),
            total=Money(amount=Decimal(chance.randint(500, 9_999)) / 100, currency="EUR"),
            source="web",
            region=chance.choice(_REGIONS),
        )
        unit, at = telling.id(), _some_day(chance)
        yield telling.told(unit, order, at)
        if chance.random() < 0.01:
            amended = pipeline.OrderAmended(
                customer_id=order.customer_id, total=order.total, region=order.region
            )
            yield telling.told(unit, amended, at)


def tickets(chance: Random) -> Iterator[Received]:
    yield from Telling(chance).turns(_ticket)


def _ticket(chance: Random) -> Thing:
    at, survey, agent = _some_day(chance), UUID(int=chance.getrandbits(128)), _staff(chance)
    category = chance.choice(("billing", "delivery", "product"))
    yield ticketing.TicketOpened(category=category, channel="phone"), at
    at = _later(chance, at)
    yield ticketing.TicketResolved(cycle=1, agent=agent), at
    yield ticketing.SurveySent(survey_id=survey, cycle=1, channel="phone"), at
    if chance.random() < 0.8:
        score = chance.randint(1, 5)
        yield ticketing.SurveyScored(survey_id=survey, cycle=1, score=score), _later(chance, at)
