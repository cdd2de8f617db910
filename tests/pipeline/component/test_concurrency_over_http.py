"""Repeated keys, stale versions and lost races."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from crm_events.application import LostRace, StaleVersion
from crm_events.contracts.pipeline import PaymentReceived
from crm_events.domain import Aggregate
from crm_events.ids import new_id
from crm_events.store.mapper import Cause
from crm_pipeline.application import PipelineApplication
from crm_pipeline.domain.deal import Deal
from crm_pipeline.domain.order import Payment, PaymentRefused
from crm_service.hosting import Storage

from tests.pipeline.telling import CUSTOMER, euros
from tests.support.contexts import Running
from tests.support.decisions import NOW

DEAL = {"pipeline": "sales"}


async def test_repeated_key_answers_the_first_answer(sales: Running) -> None:
    first = await sales.post("/deals", DEAL, idempotency_key="k-1")
    again = await sales.post("/deals", DEAL, idempotency_key="k-1")
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(sales.events(first.json()["id"])) == 1


async def test_repeated_payment_is_taken_once_and_told_the_same(sales: Running) -> None:
    total = {"amount": "100", "currency": "EUR"}
    id = await sales.made("/orders", {"customer_id": str(CUSTOMER), "total": total})
    paid = [
        await sales.post(f"/orders/{id}:receive-payment", {"amount": total}, idempotency_key="k-2")
        for _ in range(2)
    ]
    assert paid[0].json() == paid[1].json()
    assert paid[1].json()["due"] == {"amount": "0", "currency": "EUR"}
    assert len(sales.events(id)) == 2


async def test_key_with_another_body_is_refused(sales: Running) -> None:
    await sales.post("/deals", DEAL, idempotency_key="k-3")
    other = await sales.post("/deals", {**DEAL, "title": "x"}, idempotency_key="k-3")
    assert (other.status_code, other.json()["type"]) == (
        422,
        "/problems/idempotency-key-reused",
    )


async def test_stale_version_is_412_with_the_current_one(sales: Running) -> None:
    id = await sales.made("/deals", DEAL)
    await sales.post(f"/deals/{id}:advance", {"stage": "offer"}, if_match='"1"')
    stale = await sales.post(f"/deals/{id}:win", if_match='"1"')
    assert (stale.status_code, stale.json()["current_version"]) == (412, 2)


class Interrupted(PipelineApplication):
    """Somebody else is quicker: `meanwhile` runs once, right after the first load."""

    meanwhile: Callable[[], object] | None = None

    def load(self, kind: type[Any], id: UUID, *, expected: int | None = None) -> Any:
        loaded: Aggregate = super().load(kind, id, expected=expected)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return loaded


def cause() -> Cause:
    id = new_id()
    return Cause(id, id, None, "local:tester", "live", NOW)


Raced = tuple[Interrupted, PipelineApplication]


@pytest.fixture
async def raced(storage: Storage, sales: Running) -> Raced:
    app = sales.context.app
    assert isinstance(app, PipelineApplication)
    return Interrupted(storage.recorder, storage.codec(), storage.secret), app


async def test_lost_race_is_told_and_changes_nothing(raced: Raced, sales: Running) -> None:
    slow, quick = raced
    id = UUID(await sales.made("/deals", DEAL))
    slow.meanwhile = lambda: quick.lose_deal(cause(), id, "price")
    with pytest.raises(LostRace) as lost:
        slow.win_deal(cause(), id, None)
    assert lost.value.current_version == 2
    assert quick.load(Deal, id).status == "lost"


async def test_lost_race_with_version_is_stale(raced: Raced, sales: Running) -> None:
    slow, quick = raced
    id = UUID(await sales.made("/deals", DEAL))
    slow.meanwhile = lambda: quick.lose_deal(cause(), id, "price")
    with pytest.raises(StaleVersion):
        slow.win_deal(cause(), id, None, expected=1)


async def test_payments_commute_but_never_beyond_what_is_due(raced: Raced, sales: Running) -> None:
    slow, quick = raced
    total = {"amount": "100", "currency": "EUR"}
    id = UUID(await sales.made("/orders", {"customer_id": str(CUSTOMER), "total": total}))
    slow.meanwhile = lambda: quick.receive_payment(cause(), id, Payment(euros(30)))
    outcome = slow.receive_payment(cause(), id, Payment(euros(60)))
    assert outcome.result["due"] == {"amount": "10", "currency": "EUR"}
    slow.meanwhile = lambda: quick.receive_payment(cause(), id, Payment(euros(5)))
    with pytest.raises(PaymentRefused):
        slow.receive_payment(cause(), id, Payment(euros(10)))
    assert [e.amount for e in sales.events(id) if isinstance(e, PaymentReceived)] == [
        euros(30),
        euros(60),
        euros(5),
    ]


async def test_of_two_who_define_a_pipeline_one_is_refused(raced: Raced, pipeline: Running) -> None:
    del raced
    body = {"key": "leads", "stages": [{"key": "new", "probability": 0.1}]}
    answers = [await pipeline.post("/pipelines", body) for _ in range(2)]
    assert sorted(answer.status_code for answer in answers) == [201, 409]
