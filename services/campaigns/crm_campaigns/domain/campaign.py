"""A campaign: planned with a goal and a budget, launched once, answered from then on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from crm_events.contracts.campaigns import CampaignLaunched, CampaignPlanned, Goal
from crm_events.domain import Aggregate, DomainError, applies
from crm_events.event import Money


class CampaignExists(DomainError):
    slug: ClassVar[str] = "campaign-exists"

    def __init__(self, name: str) -> None:
        super().__init__(f"The campaign is planned already, as {name!r}.")


class CampaignAlreadyLaunched(DomainError):
    slug: ClassVar[str] = "campaign-already-launched"

    def __init__(self) -> None:
        super().__init__("The campaign runs already; a campaign is launched once.")


class CampaignNotLaunched(DomainError):
    slug: ClassVar[str] = "campaign-not-launched"

    def __init__(self) -> None:
        super().__init__("The campaign does not run yet; launch it before you record a response.")


class PlanRefused(DomainError):
    """The plan contradicts itself."""

    slug: ClassVar[str] = "plan-refused"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a campaign is to reach, with what and where."""

    name: str
    goal: Goal
    budget: Money
    channels: tuple[str, ...]
    owner_id: UUID | None = None
    starts_on: date | None = None
    ends_on: date | None = None


class Campaign(Aggregate):
    """One campaign."""

    def __init__(self, id: UUID) -> None:
        super().__init__(id)
        self.name = ""
        self.channels: tuple[str, ...] = ()
        self.launched = False

    def plan(self, plan: Plan, *, at: datetime) -> None:
        """Raises CampaignExists and PlanRefused."""
        if self.begun:
            raise CampaignExists(self.name)
        _check(plan)
        self.record(
            CampaignPlanned(
                name=plan.name,
                goal=plan.goal,
                budget=plan.budget,
                channels=tuple(dict.fromkeys(plan.channels)),
                owner_id=plan.owner_id,
                starts_on=plan.starts_on,
                ends_on=plan.ends_on,
            ),
            at=at,
        )

    def launch(self, *, at: datetime) -> None:
        """Raises CampaignAlreadyLaunched."""
        if self.launched:
            raise CampaignAlreadyLaunched
        self.record(CampaignLaunched(), at=at)

    def refuse_unless_launched(self) -> None:
        """Raises CampaignNotLaunched."""
        if not self.launched:
            raise CampaignNotLaunched

    @applies(CampaignPlanned)
    def _planned(self, event: CampaignPlanned) -> None:
        self.name, self.channels = event.name, event.channels

    @applies(CampaignLaunched)
    def _launched(self, _: CampaignLaunched) -> None:
        self.launched = True


def _check(plan: Plan) -> None:
    if plan.budget.amount < 0:
        raise PlanRefused("The budget is below zero; give zero or more.")
    if plan.starts_on and plan.ends_on and plan.ends_on < plan.starts_on:
        raise PlanRefused("The campaign ends before it starts; change one of the dates.")
