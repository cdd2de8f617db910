"""Random histories of the things behind each view: back-dated, corrected, withdrawn, begun anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final
from uuid import UUID

from crm_events.contracts import contacts, pipeline, ticketing
from crm_events.event import Event, Money, Staff, Withdrawal

from tests.support.viewing import Told, at, identity
from tests.views.funnel.deals import STAGES

BEGIN: Final = at("2026-01-20")
DAYS: Final = 60
_UNITS: Final = 7
_STAFF: Final = tuple(
    Staff(id=identity(name), team=name[0], region=region)
    for name, region in (("amy", "West"), ("bob", "West"), ("cho", "East"))
)
_REGIONS: Final = ("West", "East", None)
_SOURCES: Final = ("web", "fair")


@dataclass(frozen=True, slots=True)
class Telling:
    """How a kind of thing begins, what is said of it later, and how it is taken back. With
    `by_part`, single events of it can be corrected and withdrawn."""

    begins: Callable[[Random, str], Event]
    goes_on: Callable[[Random, str], Event]
    withdrawal: type[Withdrawal]
    by_part: bool = True


def _money(rng: Random) -> Money:
    currency = "EUR" if rng.random() < 0.85 else "USD"
    return Money(amount=Decimal(rng.randrange(1, 500_000)) / 100, currency=currency)


def _deal_begins(rng: Random, _: str) -> Event:
    return pipeline.DealOpened(
        pipeline="sales",
        pipeline_version=1,
        stage=rng.choice(STAGES[:2]),
        owner=rng.choice((*_STAFF, None)),
        region=rng.choice(_REGIONS),
        source=rng.choice(_SOURCES),
        amount=_money(rng) if rng.random() < 0.7 else None,
        history_unknown=rng.random() < 0.1,
    )


def _deal_goes_on(rng: Random, _: str) -> Event:
    stage, previous = rng.choice(STAGES), rng.choice(STAGES)
    return rng.choice(
        (
            pipeline.StageAdvanced(pipeline_version=1, previous=previous, stage=stage),
            pipeline.StageMovedBack(pipeline_version=1, previous=previous, stage=stage),
            pipeline.DealWon(stage=stage, owner=rng.choice((*_STAFF, None)), amount=_money(rng)),
            pipeline.DealLost(stage=stage, reason="price"),
            pipeline.DealReopened(pipeline_version=1, stage=stage),
            pipeline.DealAssigned(owner=rng.choice(_STAFF)),
            pipeline.DealAmended(region=rng.choice(_REGIONS), source="fair", amount=_money(rng)),
        )
    )


def _lead_begins(rng: Random, unit: str) -> Event:
    return contacts.LeadCaptured(
        person_id=identity(f"person {unit}"),
        name=None,
        source=rng.choice(_SOURCES),
        owner=rng.choice((*_STAFF, None)),
        region=rng.choice(_REGIONS),
    )


def _lead_goes_on(rng: Random, unit: str) -> Event:
    person = identity(f"person {unit}")
    converted = contacts.LeadConverted(
        person_id=person, deal_id=identity(f"deal {unit}"), pipeline="sales", source="web"
    )
    return rng.choice(
        (
            contacts.LeadQualified(),
            contacts.LeadDisqualified(reason=None),
            contacts.LeadAssigned(owner=rng.choice(_STAFF)),
            converted,
        )
    )


def _ticket_begins(rng: Random, _: str) -> Event:
    return ticketing.TicketOpened(category=rng.choice(("billing", "faults")), channel="phone")


def _ticket_goes_on(rng: Random, unit: str) -> Event:
    cycle = rng.randrange(1, 3)
    survey, agent = identity(f"{unit}#{cycle}"), rng.choice(_STAFF)
    return rng.choice(
        (
            ticketing.TicketAssigned(agent=agent),
            ticketing.TicketAmended(category="faults", channel=rng.choice(("phone", "mail"))),
            ticketing.TicketResolved(cycle=cycle, agent=agent),
            ticketing.SurveySent(survey_id=survey, cycle=cycle, channel="mail"),
            ticketing.SurveyScored(survey_id=survey, cycle=cycle, score=rng.randrange(1, 6)),
        )
    )


def _order_begins(rng: Random, _: str) -> Event:
    return pipeline.OrderPlaced(
        customer_id=identity(f"customer {rng.randrange(4)}"),
        total=_money(rng),
        source=rng.choice(_SOURCES),
        region=rng.choice(_REGIONS),
    )


def _order_goes_on(rng: Random, _: str) -> Event:
    return pipeline.OrderAmended(
        customer_id=identity(f"customer {rng.randrange(4)}"),
        total=_money(rng),
        region=rng.choice(_REGIONS),
    )


DEAL: Final = Telling(_deal_begins, _deal_goes_on, pipeline.DealWithdrawn)
LEAD: Final = Telling(_lead_begins, _lead_goes_on, contacts.LeadWithdrawn)
TICKET: Final = Telling(_ticket_begins, _ticket_goes_on, ticketing.TicketWithdrawn)
ORDER: Final = Telling(_order_begins, _order_goes_on, pipeline.OrderWithdrawn, by_part=False)


@dataclass
class History:
    """What is told, in the order it is recorded. The same seed tells the same."""

    rng: Random
    kinds: Sequence[Telling]
    told: list[Told] = field(default_factory=list)
    _last: dict[str, int] = field(default_factory=dict)
    _counting: dict[str, list[int]] = field(default_factory=dict)
    """Of each thing that is there: the versions that still say something, its beginning first."""

    def tell(self, events: int) -> list[Told]:
        for number in range(events):
            index = self.rng.randrange(_UNITS)
            kind, unit = self.kinds[index % len(self.kinds)], f"unit {index}"
            self._one(kind, unit, self._when(number / events))
        return self.told

    def _when(self, passed: float) -> datetime:
        """Mostly in the order of time; a third is back-dated."""
        upto = int(passed * DAYS * 1_440)
        minutes = self.rng.randrange(upto + 1) if self.rng.random() < 0.33 else upto
        return BEGIN + timedelta(minutes=minutes)

    def _one(self, kind: Telling, unit: str, when: datetime) -> None:
        counting, what = self._counting.get(unit), self.rng.random()
        if counting is None:
            self._say(unit, kind.begins(self.rng, unit), when)
        elif what < 0.06:
            self._withdraw(kind, unit, when, tuple(self._counting.pop(unit)), gone=True)
        elif what < 0.15 and kind.by_part and len(counting) > 1:
            some = self.rng.sample(counting[1:], self.rng.randrange(1, len(counting)))
            self._counting[unit] = [version for version in counting if version not in some]
            self._withdraw(kind, unit, when, tuple(some), gone=False)
        elif what < 0.35 and kind.by_part and len(counting) > 1:
            corrected = counting.pop(self.rng.randrange(1, len(counting)))
            told = identity(f"{unit}/{corrected}")
            self._say(unit, kind.goes_on(self.rng, unit), when, told)
        else:
            self._say(unit, kind.goes_on(self.rng, unit), when)

    def _say(self, unit: str, event: Event, when: datetime, supersedes: UUID | None = None) -> None:
        self._last[unit] = version = self._last.get(unit, 0) + 1
        self._counting.setdefault(unit, []).append(version)
        self.told.append(Told(unit, event, when, supersedes))

    def _withdraw(
        self, kind: Telling, unit: str, when: datetime, versions: tuple[int, ...], *, gone: bool
    ) -> None:
        """A withdrawal names one of the events that it undoes."""
        event = kind.withdrawal(versions=versions, undoes=identity("undone"), gone=gone)
        self._last[unit] += 1
        self.told.append(Told(unit, event, when, identity(f"{unit}/{versions[0]}")))
