"""Deals by their routes: what is stored, what is answered, and what is refused how."""

from datetime import timedelta
from typing import Any

import pytest
from crm_events.clock import utc_now
from crm_events.contracts.pipeline import (
    DealAmended,
    DealAssigned,
    DealLost,
    DealReopened,
    DealWon,
    StageMovedBack,
)
from crm_events.ids import new_id

from tests.pipeline.telling import (
    CUSTOMER,
    MEET,
    MEI,
    OFFER,
    SIGN,
    TOM,
    advanced,
    euros,
    opened,
)
from tests.support.contexts import Reacting, Running

EUR_900 = {"amount": "900.00", "currency": "EUR"}


async def test_a_deal_from_opening_to_won_and_back(sales: Running) -> None:
    answer = await sales.post("/deals", {"pipeline": "sales", "amount": EUR_900})
    id = answer.json()["id"]
    assert answer.headers["Location"] == f"/v1/pipeline/deals/{id}"
    assert answer.headers["ETag"] == '"1"'
    steps: list[tuple[str, dict[str, Any]]] = [
        ("advance", {"stage": "sign"}),
        ("move-back", {"stage": "offer", "reason": "new budget"}),
        ("lose", {"reason": "price"}),
        ("reopen", {"reason": "they called"}),
        ("win", {"amount": {"amount": "850", "currency": "EUR"}}),
    ]
    for version, (verb, body) in enumerate(steps, 2):
        answer = await sales.post(f"/deals/{id}:{verb}", body, if_match=f'"{version - 1}"')
        assert (answer.status_code, answer.json()["version"]) == (200, version), answer.text
    assert sales.events(id) == [
        opened(MEET, amount=euros(900)),
        advanced(MEET, SIGN),
        StageMovedBack(pipeline_version=1, previous=SIGN, stage=OFFER, reason="new budget"),
        DealLost(stage=OFFER, reason="price", amount=euros(900)),
        DealReopened(pipeline_version=1, stage=OFFER, reason="they called"),
        DealWon(stage=OFFER, amount=euros(850)),
    ]


async def test_the_answer_says_where_the_event_lies(sales: Running) -> None:
    answer = await sales.post("/deals", {"pipeline": "sales"})
    (stored,) = (e for e in sales.log() if str(e.aggregate_id) == answer.json()["id"])
    position = {"context": "pipeline", "partition": stored.partition, "sequence": stored.sequence}
    assert answer.json()["position"] == position
    assert answer.headers["Crm-Position"] == f"pipeline/{stored.partition}/{stored.sequence}"
    assert (stored.origin, stored.actor) == ("live", "local:tester")


async def test_groupings_come_from_owner_and_customer(sales: Running, known: Reacting) -> None:
    del known
    body = {"pipeline": "sales", "owner_id": str(MEI.id), "customer_id": str(CUSTOMER)}
    id = await sales.made("/deals", body)
    assert sales.events(id) == [
        opened(MEET, owner=MEI, customer_id=CUSTOMER, region="Asia", sector="retail")
    ]


async def test_what_is_said_of_groupings_wins(sales: Running, known: Reacting) -> None:
    del known
    said = {"region": "Africa", "sector": "banking", "stage": "offer"}
    body = {"pipeline": "sales", "owner_id": str(MEI.id), "customer_id": str(CUSTOMER), **said}
    id = await sales.made("/deals", body)
    assert sales.events(id) == [
        opened(OFFER, owner=MEI, customer_id=CUSTOMER, region="Africa", sector="banking")
    ]


async def test_assigning_keeps_team_and_manager_of_this_day(
    sales: Running, known: Reacting
) -> None:
    del known
    id = await sales.made("/deals", {"pipeline": "sales", "owner_id": str(MEI.id)})
    await sales.post(f"/deals/{id}:assign", {"owner_id": str(TOM.id)})
    assert sales.events(id)[1:] == [DealAssigned(owner=TOM)]


async def test_amending_keeps_what_is_not_named(sales: Running, known: Reacting) -> None:
    del known
    body = {"pipeline": "sales", "title": "Ten seats", "source": "fair", "amount": EUR_900}
    id = await sales.made("/deals", body)
    await sales.post(f"/deals/{id}:amend", {"customer_id": str(CUSTOMER), "source": None})
    assert sales.events(id)[1:] == [
        DealAmended(title="Ten seats", customer_id=CUSTOMER, sector="retail", amount=euros(900))
    ]


async def test_amending_with_the_same_amount_writes_nothing(sales: Running) -> None:
    id = await sales.made("/deals", {"pipeline": "sales", "amount": EUR_900})
    same = {"amount": {"amount": "900.0", "currency": "EUR"}}
    answer = await sales.post(f"/deals/{id}:amend", same)
    assert (answer.status_code, answer.json()["version"]) == (200, 1)
    assert len(sales.events(id)) == 1


async def test_a_command_may_be_back_dated(sales: Running) -> None:
    id = await sales.made("/deals", {"pipeline": "sales", "occurred_at": "2025-02-03T10:00:00Z"})
    await sales.post(f"/deals/{id}:win", {"occurred_at": "2025-01-01T00:00:00+08:00"})
    times = [e.occurred_at.isoformat() for e in sales.log() if str(e.aggregate_id) == id]
    assert times == ["2025-02-03T10:00:00+00:00", "2024-12-31T16:00:00+00:00"]


async def test_nothing_happens_in_the_future(sales: Running) -> None:
    later = (utc_now() + timedelta(minutes=6)).isoformat()
    answer = await sales.post("/deals", {"pipeline": "sales", "occurred_at": later})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "occurred_at"
    soon = (utc_now() + timedelta(minutes=4)).isoformat()
    assert (await sales.post("/deals", {"pipeline": "sales", "occurred_at": soon})).is_success


@pytest.mark.parametrize(
    ("body", "slug", "status"),
    [
        ({"pipeline": "nowhere"}, "pipeline-unknown", 404),
        ({"pipeline": "sales", "stage": "gone"}, "stage-unknown", 422),
        ({"pipeline": "sales", "owner_id": str(new_id())}, "staff-unknown", 422),
        ({"pipeline": "sales", "product_id": str(new_id())}, "product-unknown", 422),
        (
            {"pipeline": "sales", "amount": {"amount": "-1", "currency": "EUR"}},
            "negative-amount",
            422,
        ),
        ({"pipeline": "sales", "stagee": "meet"}, "validation", 422),
        ({"pipeline": "sales", "amount": {"amount": 9, "currency": "EUR"}}, "validation", 422),
        ({"pipeline": "sales", "amount": {"amount": "9", "currency": "euro"}}, "validation", 422),
    ],
)
async def test_what_cannot_be_opened_says_why(
    sales: Running, body: dict[str, Any], slug: str, status: int
) -> None:
    before = sales.head()
    answer = await sales.post("/deals", body)
    assert (answer.json()["type"], answer.status_code) == (f"/problems/{slug}", status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert sales.head() == before


@pytest.mark.parametrize(
    ("verb", "body", "slug"),
    [
        ("advance", {"stage": "meet"}, "not-forward"),
        ("move-back", {"stage": "sign"}, "not-backward"),
        ("reopen", {}, "deal-not-closed"),
    ],
)
async def test_rules_refuse_with_their_slug(
    sales: Running, verb: str, body: dict[str, Any], slug: str
) -> None:
    id = await sales.made("/deals", {"pipeline": "sales", "stage": "offer"})
    answer = await sales.post(f"/deals/{id}:{verb}", body)
    assert (answer.status_code, answer.json()["type"]) == (409, f"/problems/{slug}")


async def test_a_loss_without_a_reason_is_refused(sales: Running) -> None:
    id = await sales.made("/deals", {"pipeline": "sales"})
    answer = await sales.post(f"/deals/{id}:lose", {})
    assert answer.json()["errors"][0]["field"] == "reason"


async def test_unknown_deal_is_404(sales: Running) -> None:
    answer = await sales.post(f"/deals/{new_id()}:win")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


async def test_aggregates_are_not_read_by_get(sales: Running) -> None:
    id = await sales.made("/deals", {"pipeline": "sales"})
    assert (await sales.client.get(f"/v1/pipeline/deals/{id}")).status_code == 404
