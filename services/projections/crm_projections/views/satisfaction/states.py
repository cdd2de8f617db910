"""What a ticket's events say at an instant: of the ticket, and of each survey it sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from crm_events.contracts import ticketing
from crm_events.event import Event, Staff

from crm_projections.engine.view import Received
from crm_projections.facts.instants import local_day_and_month, micros

HANDLED: Final[tuple[type[Event], ...]] = (
    ticketing.TicketOpened,
    ticketing.TicketAssigned,
    ticketing.TicketAmended,
    ticketing.TicketResolved,
    ticketing.SurveySent,
    ticketing.SurveyScored,
    ticketing.TicketWithdrawn,
)


@dataclass(frozen=True, slots=True)
class Handling:
    """What a ticket is about, and who handles it."""

    category: str
    channel: str
    agent: UUID | None = None
    team: str | None = None

    def by(self, staff: Staff | None) -> Handling:
        return self if staff is None else replace(self, agent=staff.id, team=staff.team)


@dataclass(frozen=True, slots=True)
class TicketState:
    """A ticket: when it was opened (and that local day's Monday and month), how often resolved."""

    handling: Handling
    opened_at: int
    week: int
    month: int
    resolved: int


@dataclass(frozen=True, slots=True)
class SurveyState:
    """A survey that reached its customer; week and month are those of its delivery.

    Credit goes to who resolved the cycle, else to who handled the ticket.
    """

    handling: Handling
    delivered_at: int
    week: int
    month: int
    score: int | None


@dataclass(frozen=True, slots=True)
class TicketFact:
    """One event of a ticket: what it says, when it took effect, when it was recorded."""

    unit: UUID
    version: int
    sequence: int
    effective: int
    week: int
    month: int
    event_id: UUID
    supersedes: UUID | None
    event: Event


SurveyHistory = Handling | SurveyState


def fact_of(received: Received, zone: ZoneInfo) -> TicketFact:
    envelope = received.envelope
    effective = micros(envelope.occurred_at)
    day, month = local_day_and_month(effective, zone)
    return TicketFact(
        unit=envelope.aggregate_id,
        version=envelope.aggregate_version,
        sequence=envelope.sequence,
        effective=effective,
        week=monday(day),
        month=month,
        event_id=envelope.id,
        supersedes=envelope.supersedes,
        event=received.event,
    )


def monday(day: int) -> int:
    """The Monday on or before a day; 1970-01-01 was a Thursday."""
    return day - (day + 3) % 7


def fold_ticket(state: TicketState | None, fact: TicketFact) -> TicketState | None:
    """The ticket after one more event; None before its opening."""
    if isinstance(fact.event, ticketing.TicketOpened):
        handling = Handling(fact.event.category, fact.event.channel)
        return TicketState(handling, fact.effective, fact.week, fact.month, 0)
    if state is None:
        return None
    resolved = state.resolved + isinstance(fact.event, ticketing.TicketResolved)
    return replace(state, handling=_handled(state.handling, fact.event), resolved=resolved)


def _handled(handling: Handling, event: Event) -> Handling:
    match event:
        case ticketing.TicketAssigned(agent=agent) | ticketing.TicketResolved(agent=agent):
            return handling.by(agent)
        case ticketing.TicketAmended(category=category, channel=channel):
            return replace(handling, category=category, channel=channel)
        case _:
            return handling


def fold_survey(
    survey: UUID,
) -> Callable[[SurveyHistory | None, TicketFact], SurveyHistory | None]:
    """The fold for one survey: who handles the ticket until it is sent, then the survey."""

    def fold(state: SurveyHistory | None, fact: TicketFact) -> SurveyHistory | None:
        match fact.event:
            case ticketing.TicketOpened(category=category, channel=channel):
                return Handling(category, channel)
            case ticketing.SurveySent(survey_id=sent) if sent == survey:
                return _delivered(state, fact)
            case ticketing.SurveyScored(survey_id=scored) as answer if scored == survey:
                return _scored(state, answer)
        return _handled(state, fact.event) if isinstance(state, Handling) else state

    return fold


def _delivered(state: SurveyHistory | None, fact: TicketFact) -> SurveyState | None:
    if not isinstance(state, Handling):
        return state
    return SurveyState(state, fact.effective, fact.week, fact.month, None)


def _scored(state: SurveyHistory | None, answer: ticketing.SurveyScored) -> SurveyHistory | None:
    if not isinstance(state, SurveyState):
        return state
    return replace(state, score=answer.score, handling=state.handling.by(answer.agent))


def survey_of(event: Event) -> UUID | None:
    """The survey an event is about, if any."""
    if isinstance(event, ticketing.SurveySent | ticketing.SurveyScored):
        return event.survey_id
    return None
