"""What contacts does about events of campaigns and pipeline: once each, whatever is redelivered."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from crm_events.contracts.campaigns import ResponseReceived
from crm_events.contracts.contacts import (
    LeadCaptured,
    LifecyclePhase,
    LifecyclePhaseEntered,
)
from crm_events.contracts.pipeline import DealWon, OrderPlaced, Stage
from crm_events.event import Event, Money
from crm_events.ids import new_id
from crm_service.hosting import Storage

from tests.support.contexts import Reacting, Running
from tests.support.decisions import NOW
from tests.support.telling import Telling

CAMPAIGN, LEAD, PERSON = UUID(int=31), UUID(int=32), UUID(int=33)
LAST = Stage(key="close", name="Closing", rank=4, probability=0.9)
TOTAL = Money(amount=Decimal(20), currency="EUR")
RESPONSE = ResponseReceived(
    campaign_id=CAMPAIGN,
    person_id=PERSON,
    lead_id=LEAD,
    name="Li Na",
    email="li@example.org",
    channel="fair",
    region="North",
)


@pytest.fixture
def campaigns(tmp_path: Path, storage: Storage) -> Iterator[Telling]:
    telling = Telling(tmp_path, "campaigns", storage.keys)
    yield telling
    telling.close()


@pytest.fixture
def pipeline(tmp_path: Path, storage: Storage) -> Iterator[Telling]:
    telling = Telling(tmp_path, "pipeline", storage.keys)
    yield telling
    telling.close()


@pytest.fixture
def reacting(contacts: Running, campaigns: Telling, pipeline: Telling) -> Reacting:
    logs = {"campaigns": campaigns.recorder, "pipeline": pipeline.recorder}
    return Reacting(contacts.context, logs)


def won(customer: UUID | str | None) -> DealWon:
    return DealWon(stage=LAST, customer_id=None if customer is None else UUID(str(customer)))


def order(customer: UUID | str, deal: UUID | None = None) -> OrderPlaced:
    return OrderPlaced(customer_id=UUID(str(customer)), total=TOTAL, deal_id=deal)


def phases(contacts: Running, customer: str) -> list[LifecyclePhase]:
    return [e.phase for e in contacts.events(customer) if isinstance(e, LifecyclePhaseEntered)]


async def test_response_captures_attributed_lead(
    contacts: Running, campaigns: Telling, reacting: Reacting
) -> None:
    told = NOW - timedelta(days=90)
    response = campaigns.tell(RESPONSE, at=told, origin="import")
    await reacting.catch_up()
    assert contacts.events(LEAD) == [
        LeadCaptured(
            person_id=PERSON,
            name="Li Na",
            email="li@example.org",
            source="fair",
            campaign_id=CAMPAIGN,
            response_id=response,
            region="North",
        )
    ]
    (captured,) = contacts.log()
    (received,) = campaigns.recorder.read_log(0, 9).envelopes
    assert captured.causation_id == received.id
    assert captured.correlation_id == received.correlation_id
    assert captured.occurred_at == told
    assert captured.origin == "import"
    assert captured.actor == "reaction:contacts.reactions"


async def test_redelivery_and_crash_capture_nothing_twice(
    contacts: Running, campaigns: Telling, reacting: Reacting
) -> None:
    campaigns.tell(RESPONSE)
    await reacting.catch_up()
    await reacting.redeliver()
    for _ in range(2):
        reacting.crash()
        await reacting.redeliver()
        await reacting.catch_up()
    again = RESPONSE.model_copy(update={"lead_id": new_id()})
    campaigns.tell(again)
    await reacting.catch_up()
    assert [e.aggregate_id for e in contacts.log()] == [LEAD, again.lead_id]


async def test_lead_that_is_there_already_is_no_effect(
    contacts: Running, campaigns: Telling, reacting: Reacting
) -> None:
    campaigns.tell(RESPONSE)
    campaigns.tell(RESPONSE)
    await reacting.catch_up()
    assert len(contacts.log()) == 1
    assert reacting.seen("campaigns") == campaigns.recorder.safe_position()


async def test_won_deal_signs_its_customer(
    contacts: Running, pipeline: Telling, reacting: Reacting
) -> None:
    acme = await contacts.made("/organisations", {"name": "Acme"})
    deal = pipeline.tell(won(acme), at=NOW - timedelta(days=400))
    await reacting.catch_up()
    assert contacts.events(acme)[1:] == [
        LifecyclePhaseEntered(customer_kind="organisation", phase="signed", purchase_id=deal)
    ]
    assert contacts.log()[-1].occurred_at == NOW - timedelta(days=400)
    pipeline.tell(won(acme))
    await reacting.catch_up()
    assert phases(contacts, acme) == ["signed", "repeat"]


async def test_orders_move_a_known_person_on(
    contacts: Running, pipeline: Telling, reacting: Reacting
) -> None:
    lina = await contacts.made("/people", {"name": "Li Na"})
    for _ in range(3):
        pipeline.tell(order(lina))
        await reacting.catch_up()
    assert phases(contacts, lina) == ["end_user", "repeat"]


@pytest.mark.parametrize("win_first", [True, False])
async def test_deal_and_its_order_are_one_purchase(
    contacts: Running, pipeline: Telling, reacting: Reacting, win_first: bool
) -> None:
    acme, deal = await contacts.made("/organisations", {"name": "Acme"}), new_id()
    said: list[tuple[Event, UUID | None]] = [(won(acme), deal), (order(acme, deal), None)]
    for event, id in said if win_first else reversed(said):
        pipeline.tell(event, of=id)
        await reacting.catch_up()
    assert phases(contacts, acme)[-1] == "end_user"
    assert "repeat" not in phases(contacts, acme)


async def test_several_events_of_one_batch_build_on_each_other(
    contacts: Running, pipeline: Telling, reacting: Reacting
) -> None:
    lina = await contacts.made("/people", {"name": "Li Na"})
    deal = pipeline.tell(won(lina))
    pipeline.tell(order(lina, deal), of=deal)
    await reacting.catch_up()
    assert phases(contacts, lina) == ["signed", "end_user"]


async def test_order_of_unknown_customer_writes_no_event(
    contacts: Running, pipeline: Telling, reacting: Reacting
) -> None:
    lead = await contacts.made("/leads", {"name": "Li Na", "source": "fair"})
    before = contacts.head()
    for customer in (new_id(), new_id(), UUID(lead)):
        pipeline.tell(order(customer))
    pipeline.tell(won(new_id()))
    pipeline.tell(won(None))
    await reacting.catch_up()
    assert contacts.head() == before
    assert reacting.seen("pipeline") == pipeline.recorder.safe_position()
