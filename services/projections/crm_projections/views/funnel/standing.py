"""What a unit's events say of it at an instant: where it stands, and how far it ever got."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from crm_events.contracts import contacts, pipeline
from crm_events.event import Event, Money

from crm_projections.engine.view import Received
from crm_projections.facts.amounts import units
from crm_projections.facts.instants import local_day, micros
from crm_projections.views.funnel.grouping import Grouping

LEADS: Final = "leads"
"""The pipeline that every lead goes through: captured, qualified, converted."""
State = Literal["open", "won", "lost"]
NO_STAGE: Final = ""
_CAPTURED: Final = pipeline.Stage(key="captured", name="captured", rank=1, probability=0)
_QUALIFIED: Final = pipeline.Stage(key="qualified", name="qualified", rank=2, probability=0)


class Standing(NamedTuple):
    """One unit at an instant. Days are local dates; `previous` is where its last move came from."""

    pipeline: str
    stage: str
    stage_name: str
    rank: int
    state: State
    furthest: str
    furthest_rank: int
    previous: str
    previous_rank: int
    attempt: int
    entered_at: int
    entered_day: int
    since_day: int
    amount: int | None
    currency: str | None
    history_unknown: bool
    time_disorder: bool
    by: Grouping


class FunnelFact(NamedTuple):
    """One event of a unit: what it says, when it took effect, when it was recorded."""

    unit: UUID
    context: str
    version: int
    sequence: int
    effective: int
    day: int
    event_id: UUID
    supersedes: UUID | None
    event: Event


def fact_of(received: Received, zone: ZoneInfo) -> FunnelFact:
    envelope = received.envelope
    effective = micros(envelope.occurred_at)
    return FunnelFact(
        unit=envelope.aggregate_id,
        context=envelope.context,
        version=envelope.aggregate_version,
        sequence=envelope.sequence,
        effective=effective,
        day=local_day(effective, zone),
        event_id=envelope.id,
        supersedes=envelope.supersedes,
        event=received.event,
    )


def fold(standing: Standing | None, fact: FunnelFact) -> Standing | None:
    """The standing after one more event; None while nothing has opened the unit."""
    match fact.event:
        case pipeline.DealOpened() as opened:
            return _opened_deal(opened, fact)
        case contacts.LeadCaptured() as captured:
            return _captured_lead(captured, fact)
    return None if standing is None else _changed(standing, fact)


def _opened_deal(opened: pipeline.DealOpened, fact: FunnelFact) -> Standing:
    staff = opened.owner
    by = Grouping(
        owner=None if staff is None else staff.id,
        manager=None if staff is None else staff.manager_id,
        team=None if staff is None else staff.team,
        region=opened.region or (None if staff is None else staff.region),
        product=opened.product_id,
        source=opened.source,
        sector=opened.sector,
        campaign=opened.campaign_id,
    )
    priced, unknown = opened.amount, opened.history_unknown
    return _entered(opened.pipeline, opened.stage, by, fact, money=priced, history_unknown=unknown)


def _captured_lead(captured: contacts.LeadCaptured, fact: FunnelFact) -> Standing:
    by = Grouping(
        region=captured.region, source=captured.source, campaign=captured.campaign_id
    ).owned_by(captured.owner)
    return _entered(LEADS, _CAPTURED, by, fact)


def _entered(
    pipeline_key: str,
    stage: pipeline.Stage,
    by: Grouping,
    fact: FunnelFact,
    *,
    money: Money | None = None,
    history_unknown: bool = False,
) -> Standing:
    return Standing(
        pipeline=pipeline_key,
        stage=stage.key,
        stage_name=stage.name,
        rank=stage.rank,
        state="open",
        furthest=stage.key,
        furthest_rank=stage.rank,
        previous=NO_STAGE,
        previous_rank=0,
        attempt=1,
        entered_at=fact.effective,
        entered_day=fact.day,
        since_day=fact.day,
        amount=None if money is None else units(money),
        currency=None if money is None else money.currency,
        by=by,
        history_unknown=history_unknown,
        time_disorder=False,
    )


def _priced(standing: Standing, money: Money | None) -> Standing:
    if money is None:
        return standing
    return standing._replace(amount=units(money), currency=money.currency)


def _changed(now: Standing, fact: FunnelFact) -> Standing:
    match fact.event:
        case pipeline.StageAdvanced() | pipeline.StageMovedBack() as moved:
            return _moved(now, moved.stage, fact)
        case pipeline.DealReopened() as reopened:
            return _moved(now, reopened.stage, fact)._replace(attempt=now.attempt + 1)
        case pipeline.DealWon() as won:
            return _closed(now, "won", won, fact)
        case pipeline.DealLost() as lost:
            return _closed(now, "lost", lost, fact)
        case _:
            return _changed_beside(now, fact)


def _changed_beside(now: Standing, fact: FunnelFact) -> Standing:
    """What does not move a deal: its grouping and its amount; and the stages of a lead."""
    match fact.event:
        case pipeline.DealAssigned() | contacts.LeadAssigned() as assigned:
            return now._replace(by=now.by.owned_by(assigned.owner))
        case pipeline.DealAmended() as amended:
            return _amended(now, amended)
        case contacts.LeadQualified():
            return _moved(now, _QUALIFIED, fact)
        case contacts.LeadConverted():
            return _terminal(now, "won", fact)
        case contacts.LeadDisqualified():
            return _terminal(now, "lost", fact)
        case _:
            return now


def _amended(now: Standing, amended: pipeline.DealAmended) -> Standing:
    by = now.by._replace(
        region=amended.region or now.by.region,
        product=amended.product_id,
        source=amended.source,
        sector=amended.sector,
        campaign=amended.campaign_id,
    )
    return _priced(now._replace(by=by, amount=None, currency=None), amended.amount)


def _moved(now: Standing, stage: pipeline.Stage, fact: FunnelFact) -> Standing:
    """A unit that is in a stage is open, whatever was said of it before."""
    further = stage.rank > now.furthest_rank
    return now._replace(
        stage=stage.key,
        stage_name=stage.name,
        rank=stage.rank,
        state="open",
        furthest=stage.key if further else now.furthest,
        furthest_rank=stage.rank if further else now.furthest_rank,
        previous=now.stage,
        previous_rank=now.rank,
        since_day=fact.day,
    )


def _closed(
    now: Standing, state: State, closing: pipeline.DealWon | pipeline.DealLost, fact: FunnelFact
) -> Standing:
    """Credit goes to the owner at close; a close before the opening counts, but not in times."""
    by = now.by.owned_by(closing.owner)
    if now.by.region and by.region != now.by.region:
        by = by._replace(region=now.by.region)
    money = closing.amount
    return _terminal(now, state, fact)._replace(
        by=by,
        amount=now.amount if money is None else units(money),
        currency=now.currency if money is None else money.currency,
        history_unknown=now.history_unknown or closing.history_unknown,
    )


def _terminal(now: Standing, state: State, fact: FunnelFact) -> Standing:
    return now._replace(
        state=state,
        previous=now.stage,
        previous_rank=now.rank,
        since_day=fact.day,
        time_disorder=now.time_disorder or fact.effective < now.entered_at,
    )
