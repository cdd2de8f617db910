"""What the desk does by itself: tickets from feedback, surveys from resolutions, and time-outs."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from crm_events.codec import Codec
from crm_events.contracts.ticketing import (
    SurveyScored,
    SurveySent,
    SurveyTimedOut,
    TicketClosed,
)
from crm_events.timers import Timers
from crm_ticketing.application import TicketingApplication
from crm_ticketing.application.surveys import survey_id
from crm_ticketing.reactions import TIMERS

from tests.support.contexts import Reacting, Running
from tests.support.importing import imported, rows
from tests.ticketing.conftest import WAITS
from tests.ticketing.interrupted import cause, raced
from tests.ticketing.telling import CUSTOMER, MEI, assigned, opened, resolved

FEEDBACK = {
    "customer_id": str(CUSTOMER),
    "content": "You charged me\ntwice",
    "category": "billing",
    "channel": "web",
}
TICKET = {"customer_id": str(CUSTOMER), "category": "billing", "channel": "web"}


async def feed_back(desk: Running, **more: Any) -> tuple[str, str]:
    """The ids of the feedback and of the ticket it becomes."""
    answer = (await desk.post("/feedback", FEEDBACK | more)).json()
    return answer["id"], answer["ticket_id"]


async def solved(desk: Running, reacting: Reacting, **ticket: Any) -> tuple[str, UUID]:
    """A ticket that was resolved and surveyed."""
    id = await desk.made("/tickets", TICKET | ticket)
    await desk.post(f"/tickets/{id}:resolve")
    await reacting.catch_up()
    return id, survey_id(UUID(id), 1)


def timers(desk: Running, at: Callable[[], datetime]) -> Timers:
    """One replica's timers, by a clock of its own."""
    app = desk.context.app
    assert isinstance(app, TicketingApplication)
    codec = Codec(desk.storage.keys)
    replica = TicketingApplication(desk.storage.recorder, codec, app.secret, WAITS)
    return Timers(replica, TIMERS, at)


def due(desk: Running, early: timedelta = timedelta(0)) -> Callable[[], datetime]:
    moment = desk.log()[-1].recorded_at + WAITS + timedelta(seconds=1) - early
    return lambda: moment


async def test_feedback_opens_its_ticket_by_itself(desk: Running, reacting: Reacting) -> None:
    feedback, ticket = await feed_back(desk, occurred_at="2025-02-03T10:00:00Z")
    await reacting.catch_up()
    assert desk.events(ticket) == [
        opened(feedback_id=UUID(feedback), summary="You charged me twice")
    ]
    said, ticketed = desk.log()
    assert ticketed.occurred_at == said.occurred_at
    assert (ticketed.causation_id, ticketed.correlation_id) == (said.id, said.correlation_id)
    assert ticketed.actor == "reaction:ticketing.reactions"


async def test_its_ticket_goes_to_whom_the_rules_choose(desk: Running, known: Reacting) -> None:
    body = {"rules": [{"category": "billing", "agents": [str(MEI.id)]}]}
    await desk.post("/assignment-rules:define", body)
    _, ticket = await feed_back(desk)
    _, other = await feed_back(desk, category="delivery")
    await known.catch_up()
    assert desk.events(ticket)[1:] == [assigned(MEI, 1)]
    assert len(desk.events(other)) == 1


async def test_feedback_is_one_ticket_under_redelivery_and_crash(
    desk: Running, reacting: Reacting
) -> None:
    _, ticket = await feed_back(desk)
    await reacting.catch_up()
    before = desk.head()
    await reacting.redeliver()
    for _ in range(2):
        reacting.crash()
        await reacting.redeliver()
        await reacting.catch_up()
    assert desk.head() == before
    assert len(desk.events(ticket)) == 1


async def test_a_resolution_sends_its_survey(desk: Running, reacting: Reacting) -> None:
    id, survey = await solved(desk, reacting)
    resolution, asked = desk.log()[-2:]
    assert desk.event(asked) == SurveySent(
        survey_id=survey, cycle=1, channel="web", due_at=resolution.recorded_at + WAITS
    )
    assert asked.causation_id == resolution.id
    assert desk.storage.recorder.next_due() == resolution.recorded_at + WAITS
    assert len(desk.events(id)) == 3


async def test_a_back_dated_resolution_still_leaves_time_to_answer(
    desk: Running, reacting: Reacting
) -> None:
    id = await desk.made("/tickets", TICKET | {"occurred_at": "2025-01-01T00:00:00Z"})
    await desk.post(f"/tickets/{id}:resolve", {"occurred_at": "2025-01-02T00:00:00Z"})
    await reacting.catch_up()
    resolution, asked = desk.log()[-2:]
    event = desk.event(asked)
    assert isinstance(event, SurveySent)
    assert event.due_at is not None
    assert event.due_at == resolution.recorded_at + WAITS
    assert asked.occurred_at == resolution.occurred_at


async def test_nobody_is_asked_without_a_customer(desk: Running, reacting: Reacting) -> None:
    id, _ = await solved(desk, reacting, customer_id=None)
    assert len(desk.events(id)) == 2
    assert (await desk.post(f"/tickets/{id}:close")).is_success
    assert desk.storage.recorder.next_due() is None


async def test_an_import_asks_nobody(desk: Running, reacting: Reacting) -> None:
    row = {"customer_key": "c1", "resolved": True, "opened_at": "2021-01-01T09:00:00Z"}
    await imported(desk, "tickets", rows(row))
    before = desk.head()
    await reacting.catch_up()
    assert desk.head() == before
    assert desk.storage.recorder.next_due() is None


async def test_every_cycle_is_surveyed(desk: Running, reacting: Reacting) -> None:
    id, first = await solved(desk, reacting)
    await desk.post(f"/tickets/{id}:reopen")
    await desk.post(f"/tickets/{id}:resolve")
    await reacting.catch_up()
    told = [e.survey_id for e in desk.events(id) if isinstance(e, SurveySent)]
    assert told == [first, survey_id(UUID(id), 2)]


async def test_a_ticket_reopened_before_it_was_surveyed_is_not(
    desk: Running, reacting: Reacting
) -> None:
    id = await desk.made("/tickets", TICKET)
    await desk.post(f"/tickets/{id}:resolve")
    await desk.post(f"/tickets/{id}:reopen")
    await reacting.catch_up()
    assert not [e for e in desk.events(id) if isinstance(e, SurveySent)]
    assert desk.storage.recorder.next_due() is None


async def test_an_answered_survey_lets_the_ticket_close(desk: Running, reacting: Reacting) -> None:
    id, survey = await solved(desk, reacting)
    early = await desk.post(f"/tickets/{id}:close")
    assert early.json()["type"] == "/problems/survey-pending"
    for score in (2, 4):
        answer = await desk.post(f"/tickets/{id}/surveys/{survey}:score", {"score": score})
        assert answer.status_code == 200, answer.text
    assert desk.storage.recorder.next_due() is None
    assert (await desk.post(f"/tickets/{id}:close")).is_success
    assert desk.events(id)[-1] == TicketClosed()


async def test_an_answer_counts_for_good_after_a_fortnight(
    desk: Running, reacting: Reacting
) -> None:
    id, survey = await solved(desk, reacting)
    path = f"/tickets/{id}/surveys/{survey}:score"
    await desk.post(path, {"score": 2, "occurred_at": "2025-01-01T00:00:00Z"})
    late = await desk.post(path, {"score": 5})
    assert (late.status_code, late.json()["type"]) == (409, "/problems/survey-locked")


async def test_an_unanswered_survey_times_out_once_for_two_replicas(
    desk: Running, reacting: Reacting
) -> None:
    id, survey = await solved(desk, reacting)
    clock = due(desk)
    replicas = [timers(desk, clock), timers(desk, clock)]
    await asyncio.gather(*(asyncio.to_thread(r.fire_due) for r in replicas))
    assert [r.fire_due() for r in replicas] == [0, 0]
    timed_out = [e for e in desk.events(id) if isinstance(e, SurveyTimedOut)]
    assert timed_out == [SurveyTimedOut(survey_id=survey, cycle=1)]
    stored = desk.log()[-1]
    assert (stored.actor, stored.command_id) == ("timer:survey-timeout", survey)
    late = await desk.post(f"/tickets/{id}/surveys/{survey}:score", {"score": 5})
    assert late.json()["type"] == "/problems/survey-timed-out"
    assert (await desk.post(f"/tickets/{id}:close")).is_success


async def test_a_survey_waits_as_long_as_it_should(desk: Running, reacting: Reacting) -> None:
    await solved(desk, reacting)
    before = desk.head()
    assert timers(desk, due(desk, early=timedelta(minutes=1))).fire_due() == 0
    assert desk.head() == before


async def test_a_timer_that_loses_to_the_answer_has_no_effect(
    desk: Running, reacting: Reacting
) -> None:
    id, survey = await solved(desk, reacting)
    quick, slow = raced(desk)
    slow.meanwhile = lambda: quick.score_survey(cause(), UUID(id), survey, 5, None)
    timers = Timers(slow, TIMERS, due(desk))
    assert timers.fire_due() == 1
    assert [type(e) for e in desk.events(id)][-1] is SurveyScored
    assert desk.storage.recorder.next_due() is None
    assert timers.failing is None


async def test_reacting_again_sets_no_timer_again(desk: Running, reacting: Reacting) -> None:
    await solved(desk, reacting)
    timers(desk, due(desk)).fire_due()
    await reacting.redeliver()
    reacting.crash()
    await reacting.redeliver()
    await reacting.catch_up()
    assert desk.storage.recorder.next_due() is None


async def test_resolution_by_nobody_is_credited_to_nobody(
    desk: Running, reacting: Reacting
) -> None:
    id, _ = await solved(desk, reacting)
    assert desk.events(id)[1] == resolved(1, None)
