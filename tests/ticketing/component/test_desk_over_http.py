"""Tickets by their routes: what is stored, what is answered, and what is refused how."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from crm_events.application import LostRace
from crm_events.clock import utc_now
from crm_events.contracts.ticketing import (
    TicketAmended,
    TicketClosed,
    TicketHeld,
    TicketReopened,
    TicketReplied,
    TicketResumed,
)
from crm_events.ids import new_id

from tests.support.contexts import Reacting, Running
from tests.ticketing.interrupted import cause, raced
from tests.ticketing.telling import CUSTOMER, MEI, TOM, assigned, opened, resolved

TICKET = {"category": "billing", "channel": "web"}
ASKED = TICKET | {"customer_id": str(CUSTOMER)}


async def test_a_ticket_from_opening_to_closed_and_back(desk: Running, known: Reacting) -> None:
    del known
    answer = await desk.post("/tickets", TICKET | {"agent_id": str(MEI.id), "summary": "Twice"})
    id = answer.json()["id"]
    assert answer.headers["Location"] == f"/v1/ticketing/tickets/{id}"
    steps: list[tuple[str, dict[str, Any]]] = [
        ("reply", {"body": "We look into it"}),
        ("hold", {"reason": "bank"}),
        ("resume", {}),
        ("assign", {"agent_id": str(TOM.id)}),
        ("resolve", {"resolution": "refunded"}),
        ("close", {}),
        ("reopen", {"reason": "not yet"}),
        ("amend", {"priority": "high"}),
    ]
    for version, (verb, body) in enumerate(steps, 3):
        answer = await desk.post(f"/tickets/{id}:{verb}", body)
        assert (answer.status_code, answer.json()["version"]) == (200, version), answer.text
    assert desk.events(id) == [
        opened(customer_id=None, summary="Twice"),
        assigned(MEI),
        TicketReplied(body="We look into it", agent=MEI),
        TicketHeld(reason="bank"),
        TicketResumed(),
        assigned(TOM),
        resolved(1, TOM, customer_id=None, resolution="refunded"),
        TicketClosed(),
        TicketReopened(reason="not yet"),
        TicketAmended(category="billing", channel="web", priority="high"),
    ]


async def test_a_note_may_be_somebody_elses(desk: Running, known: Reacting) -> None:
    del known
    id = await desk.made("/tickets", ASKED)
    note = {"body": "call back", "public": False, "agent_id": str(TOM.id)}
    await desk.post(f"/tickets/{id}:reply", note)
    assert desk.events(id)[1:] == [
        TicketReplied(customer_id=CUSTOMER, body="call back", public=False, agent=TOM)
    ]


async def test_what_people_say_rests_sealed(desk: Running) -> None:
    id = await desk.made("/tickets", ASKED | {"summary": "Canary one"})
    await desk.post(f"/tickets/{id}:reply", {"body": "Canary two"})
    body = {"customer_id": str(CUSTOMER), "content": "Canary three", **TICKET}
    await desk.post("/feedback", body)
    assert len(desk.log()) == 3
    assert all(b"Canary" not in stored.data for stored in desk.log())


async def test_rules_give_new_tickets_to_their_agents(desk: Running, known: Reacting) -> None:
    del known
    rules = [
        {"category": "billing", "agents": [str(MEI.id)]},
        {"agents": [str(TOM.id), str(MEI.id)]},
    ]
    answer = await desk.post("/assignment-rules:define", {"rules": rules})
    assert answer.json()["version"] == 1
    billing = await desk.made("/tickets", TICKET)
    other = await desk.made("/tickets", TICKET | {"category": "delivery"})
    by_hand = await desk.made("/tickets", TICKET | {"agent_id": str(TOM.id)})
    assert desk.events(billing)[1:] == [assigned(MEI, 1)]
    turn = (TOM, MEI)[UUID(other).int % 2]
    assert desk.events(other)[1:] == [assigned(turn, 1)]
    assert desk.events(by_hand)[1:] == [assigned(TOM)]


async def test_rules_name_people_who_are_known(desk: Running) -> None:
    body = {"rules": [{"agents": [str(new_id())]}]}
    answer = await desk.post("/assignment-rules:define", body)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/staff-unknown")


async def test_stale_rules_are_412(desk: Running, known: Reacting) -> None:
    del known
    body = {"rules": [{"agents": [str(MEI.id)]}]}
    await desk.post("/assignment-rules:define", body)
    await desk.post("/assignment-rules:define", {"rules": []}, if_match='"1"')
    answer = await desk.post("/assignment-rules:define", body, if_match='"1"')
    assert (answer.status_code, answer.json()["current_version"]) == (412, 2)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/tickets", TICKET | {"prority": "high"}, "prority"),
        ("/tickets", TICKET | {"priority": "highest"}, "priority"),
        ("/tickets", {"category": "billing"}, "channel"),
        ("/feedback", TICKET | {"customer_id": str(CUSTOMER)}, "content"),
        ("/assignment-rules:define", {"rules": [{"agents": []}]}, "rules[0].agents"),
    ],
)
async def test_wrong_bodies_name_the_field(
    desk: Running, path: str, body: dict[str, Any], field: str
) -> None:
    answer = await desk.post(path, body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert desk.head() == 0


async def test_a_ticket_keeps_category_and_channel(desk: Running) -> None:
    id = await desk.made("/tickets", TICKET)
    answer = await desk.post(f"/tickets/{id}:amend", {"category": None})
    assert answer.json()["errors"][0]["field"] == "category"


async def test_rules_of_the_desk_refuse_with_their_slug(desk: Running) -> None:
    id = await desk.made("/tickets", ASKED)
    early = await desk.post(f"/tickets/{id}:close")
    assert (early.status_code, early.json()["type"]) == (409, "/problems/ticket-not-ready")
    await desk.post(f"/tickets/{id}:resolve")
    unasked = await desk.post(f"/tickets/{id}:close")
    assert (unasked.status_code, unasked.json()["type"]) == (409, "/problems/survey-pending")
    path = f"/tickets/{id}/surveys/{new_id()}:score"
    unknown = await desk.post(path, {"score": 5})
    assert (unknown.status_code, unknown.json()["type"]) == (404, "/problems/survey-unknown")


@pytest.mark.parametrize("score", [0, 6, 4.5, "5", None])
async def test_a_score_is_a_number_of_one_to_five(desk: Running, score: object) -> None:
    answer = await desk.post(f"/tickets/{new_id()}/surveys/{new_id()}:score", {"score": score})
    assert answer.json()["errors"][0]["field"] == "score"


async def test_commands_may_be_back_dated_but_not_ahead(desk: Running) -> None:
    id = await desk.made("/tickets", TICKET | {"occurred_at": "2025-02-03T10:00:00Z"})
    assert desk.log()[0].occurred_at.isoformat() == "2025-02-03T10:00:00+00:00"
    later = (utc_now() + timedelta(minutes=6)).isoformat()
    answer = await desk.post(f"/tickets/{id}:resolve", {"occurred_at": later})
    assert answer.status_code == 422


async def test_repeated_key_answers_the_first_answer(desk: Running) -> None:
    body = TICKET | {"customer_id": str(CUSTOMER), "content": "Hello"}
    first = await desk.post("/feedback", body, idempotency_key="k-1")
    again = await desk.post("/feedback", body, idempotency_key="k-1")
    assert (again.status_code, again.json()) == (201, first.json())
    assert len(desk.log()) == 1
    other = await desk.post("/feedback", body | {"channel": "phone"}, idempotency_key="k-1")
    assert other.json()["type"] == "/problems/idempotency-key-reused"


async def test_stale_version_is_412_with_the_current_one(desk: Running) -> None:
    id = await desk.made("/tickets", TICKET)
    await desk.post(f"/tickets/{id}:hold", {"reason": "x"}, if_match='"1"')
    stale = await desk.post(f"/tickets/{id}:resolve", {}, if_match='"1"')
    assert (stale.status_code, stale.json()["current_version"]) == (412, 2)


async def test_lost_race_is_told_and_changes_nothing(desk: Running) -> None:
    id = UUID(await desk.made("/tickets", TICKET))
    quick, slow = raced(desk)
    slow.meanwhile = lambda: quick.hold_ticket(cause(), id, "bank")
    with pytest.raises(LostRace) as lost:
        slow.resolve_ticket(cause(), id, None)
    assert lost.value.current_version == 2
    assert desk.events(id)[1:] == [TicketHeld(reason="bank")]


async def test_replies_commute(desk: Running) -> None:
    id = UUID(await desk.made("/tickets", TICKET))
    quick, slow = raced(desk)
    slow.meanwhile = lambda: quick.hold_ticket(cause(), id, "bank")
    slow.reply_to_ticket(cause(), id, "We ask the bank", public=True, agent_id=None)
    assert desk.events(id)[2:] == [TicketReplied(body="We ask the bank")]
