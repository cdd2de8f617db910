from datetime import timedelta
from uuid import UUID

import pytest
from crm_events.contracts.pipeline import (
    DealAmended,
    DealAssigned,
    DealLost,
    DealWon,
    PipelineStagesChanged,
    StageMovedBack,
)
from crm_events.domain import Change
from crm_events.event import Event
from crm_pipeline.domain.amounts import NegativeAmount
from crm_pipeline.domain.deal import Deal
from crm_pipeline.domain.deal_facts import DealFacts, Opening, grouped
from crm_pipeline.domain.deal_refusals import (
    DealClosed,
    DealExists,
    DealNotClosed,
    NotBackward,
    NotForward,
)
from crm_pipeline.domain.pipeline import Pipeline, StageUnknown

from tests.pipeline.telling import (
    CUSTOMER,
    DEFINED,
    MEET,
    MEI,
    OFFER,
    PRODUCT,
    SIGN,
    TOM,
    advanced,
    euros,
    opened,
    reopened,
    sales,
)
from tests.support.decisions import ID, NOW, given

WON, LOST = DealWon(stage=MEET), DealLost(stage=MEET, reason="price")
EARLIER = NOW - timedelta(days=400)


def without_offer() -> Pipeline:
    """Version 2 of sales: sign, then meet; offer is gone."""
    stages = (SIGN.model_copy(update={"rank": 1}), MEET.model_copy(update={"rank": 2}))
    changed = PipelineStagesChanged(pipeline_version=2, stages=stages)
    first = Change(ID, 1, DEFINED)
    return Pipeline.from_history(ID, [first, Change(ID, 2, changed)])


def test_opening_records_the_facts_of_the_moment() -> None:
    facts = DealFacts("Ten seats", CUSTOMER, PRODUCT, "retail", "Asia", amount=euros(900))
    lead = Opening(lead_id=UUID(int=9))
    given(Deal).when(lambda d: d.open(sales(), OFFER, facts, MEI, lead, at=EARLIER)).then(
        opened(
            OFFER,
            title="Ten seats",
            customer_id=CUSTOMER,
            product_id=PRODUCT,
            sector="retail",
            region="Asia",
            amount=euros(900),
            owner=MEI,
            lead_id=UUID(int=9),
        )
    ).at(EARLIER)


def test_a_deal_is_opened_once() -> None:
    given(Deal, opened()).when(lambda d: d.open(sales(), MEET, DealFacts(), at=NOW)).then(
        DealExists
    )


def test_a_deal_is_never_worth_less_than_nothing() -> None:
    facts = DealFacts(amount=euros(-1))
    given(Deal).when(lambda d: d.open(sales(), MEET, facts, at=NOW)).then(NegativeAmount)
    given(Deal, opened()).when(lambda d: d.amend(facts, at=NOW)).then(NegativeAmount)
    given(Deal, opened()).when(lambda d: d.win(euros(-1), at=NOW)).then(NegativeAmount)
    given(Deal, opened()).when(lambda d: d.lose("x", euros(-1), at=NOW)).then(NegativeAmount)


def test_a_deal_may_skip_stages() -> None:
    given(Deal, opened()).when(lambda d: d.advance(sales(), "sign", at=NOW)).then(
        advanced(MEET, SIGN)
    )


@pytest.mark.parametrize("key", ["offer", "meet"], ids=["same stage", "earlier stage"])
def test_advancing_goes_to_a_later_stage_only(key: str) -> None:
    given(Deal, opened(OFFER)).when(lambda d: d.advance(sales(), key, at=NOW)).then(NotForward)


def test_moving_back_goes_to_an_earlier_stage() -> None:
    moved = StageMovedBack(
        pipeline_version=1, previous=SIGN, stage=MEET, customer_id=CUSTOMER, reason="new team"
    )
    given(Deal, opened(SIGN, customer_id=CUSTOMER)).when(
        lambda d: d.move_back(sales(), "meet", "new team", at=NOW)
    ).then(moved)


@pytest.mark.parametrize("key", ["offer", "sign"], ids=["same stage", "later stage"])
def test_moving_back_never_goes_forward(key: str) -> None:
    given(Deal, opened(OFFER)).when(lambda d: d.move_back(sales(), key, at=NOW)).then(NotBackward)


def test_ranks_are_those_of_the_current_version() -> None:
    moved = advanced(MEET, SIGN)
    decision = given(Deal, opened(), moved).when(
        lambda d: d.advance(without_offer(), "meet", at=NOW)
    )
    assert [c.body.pipeline_version for c in decision.aggregate.pending] == [2]  # type: ignore[attr-defined]


def test_a_dropped_stage_counts_with_its_old_rank() -> None:
    given(Deal, opened(OFFER)).when(lambda d: d.advance(without_offer(), "meet", at=NOW)).then(
        NotForward
    )
    decision = given(Deal, opened(OFFER)).when(
        lambda d: d.move_back(without_offer(), "sign", at=NOW)
    )
    assert decision.aggregate.stage == SIGN.model_copy(update={"rank": 1})


@pytest.mark.parametrize("verb", ["advance", "move_back"])
def test_a_stage_must_exist_now(verb: str) -> None:
    given(Deal, opened(MEET)).when(lambda d: getattr(d, verb)(sales(), "gone", at=NOW)).then(
        StageUnknown
    )


def test_winning_credits_owner_and_amount() -> None:
    before = opened(OFFER, owner=MEI, customer_id=CUSTOMER, amount=euros(900))
    given(Deal, before).when(lambda d: d.win(at=NOW)).then(
        DealWon(stage=OFFER, customer_id=CUSTOMER, owner=MEI, amount=euros(900))
    )


def test_the_amount_that_was_signed_is_the_deals_amount() -> None:
    decision = given(Deal, opened(amount=euros(900))).when(lambda d: d.win(euros(800), at=NOW))
    decision.then(DealWon(stage=MEET, amount=euros(800)))
    assert decision.aggregate.facts.amount == euros(800)


def test_losing_says_why() -> None:
    given(Deal, opened(owner=TOM, amount=euros(5))).when(lambda d: d.lose("price", at=NOW)).then(
        DealLost(stage=MEET, reason="price", owner=TOM, amount=euros(5))
    )


@pytest.mark.parametrize("end", [WON, LOST], ids=["won", "lost"])
@pytest.mark.parametrize(
    "decide",
    [
        lambda d: d.advance(sales(), "sign", at=NOW),
        lambda d: d.move_back(sales(), "meet", at=NOW),
        lambda d: d.win(at=NOW),
        lambda d: d.lose("price", at=NOW),
    ],
    ids=["advance", "move back", "win", "lose"],
)
def test_a_closed_deal_stays_where_it_is(decide: object, end: Event) -> None:
    given(Deal, opened(), end).when(decide).then(DealClosed)  # type: ignore[arg-type]


@pytest.mark.parametrize("end", [WON, LOST], ids=["won", "lost"])
def test_a_closed_deal_is_reopened_where_it_stood(end: Event) -> None:
    given(Deal, opened(customer_id=CUSTOMER), end).when(
        lambda d: d.reopen(sales(), None, "again", at=NOW)
    ).then(reopened(MEET, "again", customer_id=CUSTOMER))


def test_a_closed_deal_is_reopened_in_a_named_stage() -> None:
    given(Deal, opened(), WON).when(lambda d: d.reopen(sales(), "sign", at=NOW)).then(
        reopened(SIGN)
    )


def test_a_deal_whose_stage_is_gone_needs_another_to_reopen() -> None:
    closed = (opened(OFFER), DealLost(stage=OFFER))
    given(Deal, *closed).when(lambda d: d.reopen(without_offer(), None, at=NOW)).then(StageUnknown)


def test_an_open_deal_is_not_reopened() -> None:
    given(Deal, opened()).when(lambda d: d.reopen(sales(), None, at=NOW)).then(DealNotClosed)


def test_a_reopened_deal_can_be_won_again() -> None:
    before = (opened(), LOST, reopened(SIGN))
    given(Deal, *before).when(lambda d: d.win(at=NOW)).then(DealWon(stage=SIGN))


def test_assigning_records_the_owner_as_of_now() -> None:
    given(Deal, opened(owner=MEI)).when(lambda d: d.assign(TOM, at=NOW)).then(
        DealAssigned(owner=TOM)
    )


def test_the_same_owner_in_the_same_team_is_no_change() -> None:
    given(Deal, opened(owner=MEI)).when(lambda d: d.assign(MEI, at=NOW)).then()
    moved = MEI.model_copy(update={"team": "South"})
    given(Deal, opened(owner=MEI)).when(lambda d: d.assign(moved, at=NOW)).then(
        DealAssigned(owner=moved)
    )


def test_amending_states_all_facts_anew() -> None:
    before = opened(title="Ten seats", amount=euros(900))
    facts = DealFacts("Ten seats", CUSTOMER, amount=euros(1000))
    given(Deal, before).when(lambda d: d.amend(facts, at=NOW)).then(
        DealAmended(title="Ten seats", customer_id=CUSTOMER, amount=euros(1000))
    )
    given(Deal, before).when(
        lambda d: d.amend(DealFacts("Ten seats", amount=euros("900.00")), at=NOW)
    ).then()


def test_a_closed_deal_may_be_corrected() -> None:
    given(Deal, opened(), WON).when(lambda d: d.amend(DealFacts("x"), at=NOW)).then(
        DealAmended(title="x")
    )


def test_groupings_default_to_owner_and_customer() -> None:
    assert grouped(DealFacts(), MEI, "retail") == DealFacts(region="Asia", sector="retail")
    said = DealFacts(region="Africa", sector="banking")
    assert grouped(said, MEI, "retail") == said
    assert grouped(DealFacts(), None, None) == DealFacts()
