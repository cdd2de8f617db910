"""Rows of tickets: what each says, at the row's times, and what a later row says otherwise."""

from datetime import UTC, datetime
from typing import Any

import pytest
from crm_events.contracts.ticketing import (
    SurveyScored,
    TicketAmended,
    TicketAssigned,
    TicketClosed,
    TicketReopened,
    TicketReplied,
    TicketResolved,
)
from crm_events.ids import derived_id, new_id

from tests.support.contexts import SECRET, Reacting, Running
from tests.support.importing import Results, imported, rows, statuses
from tests.ticketing.telling import MEI, TOM, assigned, opened, resolved, scored, sent

OPENED_AT, CLOSED_AT = "2021-01-01T09:12:58Z", "2021-01-01T10:00:00Z"
OPENED = datetime(2021, 1, 1, 9, 12, 58, tzinfo=UTC)
CLOSED = datetime(2021, 1, 1, 10, tzinfo=UTC)
CUSTOMER = derived_id(SECRET, "file", "customer", "c1")
CALL = {
    "agent_id": str(MEI.id),
    "opened_at": OPENED_AT,
    "category": "billing",
    "channel": "web",
    "customer_key": "c1",
}
RATED = CALL | {"resolved": True, "rating": 4}


async def take(desk: Running, *values: dict[str, Any], **more: Any) -> Results:
    return await imported(desk, "tickets", rows(*values), **more)


async def one(desk: Running, values: dict[str, Any]) -> str:
    (result,) = await take(desk, values)
    assert result["status"] == "accepted", result
    return str(result["id"])


def kinds(desk: Running, after: int = 0) -> list[type]:
    return [type(event) for event in desk.events(after=after)]


def asked(desk: Running, id: str) -> Any:
    """The survey's id, which is not the test's business."""
    found = {e.survey_id for e in desk.events(id) if hasattr(e, "survey_id")}
    (survey,) = found
    return survey


async def test_rated_ticket_is_resolved_surveyed_scored_and_closed(
    desk: Running, known: Reacting
) -> None:
    del known
    id = await one(desk, RATED | {"closed_at": CLOSED_AT, "comment": "thanks"})
    survey = asked(desk, id)
    assert desk.events(id) == [
        opened(customer_id=CUSTOMER),
        assigned(MEI),
        resolved(1, MEI, customer_id=CUSTOMER),
        sent(1, survey, None),
        scored(
            4, customer_id=CUSTOMER, survey_id=survey, agent=MEI, comment="thanks", locks_at=None
        ),
        TicketClosed(),
    ]
    assert [e.occurred_at for e in desk.log()] == [OPENED] * 2 + [CLOSED] * 4
    assert {e.origin for e in desk.log()} == {"import"}


async def test_unresolved_ticket_is_rateable_and_stays_open(desk: Running, known: Reacting) -> None:
    del known
    id = await one(desk, CALL | {"resolved": False, "rating": None})
    assert desk.events(id)[2:] == [sent(0, asked(desk, id), None)]
    rated = await take(desk, CALL, CALL | {"resolved": False, "rating": 2})
    survey = asked(desk, rated[1]["id"])
    assert desk.events(rated[1]["id"])[3:] == [
        scored(2, 0, customer_id=CUSTOMER, survey_id=survey, agent=MEI, locks_at=None)
    ]


async def test_file_without_ratings_sends_no_survey(desk: Running, known: Reacting) -> None:
    del known
    id = await one(desk, CALL | {"resolved": True})
    assert desk.events(id)[2:] == [resolved(1, MEI, customer_id=CUSTOMER), TicketClosed()]
    assert desk.log()[-1].occurred_at == OPENED


@pytest.mark.parametrize(
    ("said", "ends"),
    [
        ({"closed_at": CLOSED_AT}, [TicketResolved, TicketClosed]),
        ({"closed_at": CLOSED_AT, "resolved": False}, [TicketClosed]),
        ({"resolved": False}, []),
        ({"answered": True}, [TicketReplied]),
        ({"answered": False}, []),
    ],
)
async def test_columns_say_how_it_went(
    desk: Running, known: Reacting, said: dict[str, Any], ends: list[type]
) -> None:
    del known
    await one(desk, CALL | said)
    assert kinds(desk)[2:] == ends
    closed = [e for e in desk.events() if isinstance(e, TicketClosed)]
    assert all(e.resolved is ("resolved" not in said) for e in closed)


async def test_what_is_not_said_is_a_group_of_its_own(desk: Running) -> None:
    id = await one(desk, {"subject": "Broken", "content": "It\nbroke."})
    (event,) = desk.events(id)
    assert event == opened(
        customer_id=None, category="unknown", channel="unknown", summary="Broken It broke."
    )


async def test_same_file_again_changes_nothing(desk: Running, known: Reacting) -> None:
    del known
    await take(desk, RATED, CALL)
    before = desk.head()
    assert statuses(await take(desk, RATED, CALL)) == ["unchanged", "unchanged"]
    assert desk.head() == before


@pytest.mark.parametrize(
    ("earlier", "later", "difference"),
    [
        (CALL, {"category": "delivery"}, [TicketAmended]),
        (CALL, {"agent_id": str(TOM.id)}, [TicketAssigned]),
        (CALL, {"resolved": True}, [TicketResolved, TicketClosed]),
        (RATED, {"rating": 5}, [SurveyScored]),
        (RATED, {"comment": "well done"}, [SurveyScored]),
        (RATED | {"rating": None}, {"rating": 3}, [SurveyScored]),
        (RATED, {"resolved": False}, [TicketReopened]),
        (
            CALL | {"resolved": False, "closed_at": CLOSED_AT},
            {"resolved": True},
            [TicketReopened, TicketResolved, TicketClosed],
        ),
        (RATED, {"priority": "normal"}, []),
    ],
)
async def test_changed_row_emits_only_its_differences(
    desk: Running,
    known: Reacting,
    earlier: dict[str, Any],
    later: dict[str, Any],
    difference: list[type],
) -> None:
    del known
    await one(desk, earlier)
    before = desk.head()
    (result,) = await take(desk, earlier | later)
    assert result["status"] == ("accepted" if difference else "unchanged"), result
    assert kinds(desk, before) == difference


async def test_rows_going_back_end_as_they_began(desk: Running, known: Reacting) -> None:
    del known
    for row in (RATED, RATED | {"resolved": False, "rating": 1}, RATED):
        (result,) = await take(desk, row)
        assert result["status"] == "accepted"
    survey = asked(desk, result["id"])
    told = [e for e in desk.events(result["id"]) if isinstance(e, SurveyScored)]
    assert [e.score for e in told] == [4, 1, 4]
    assert {e.survey_id for e in told} == {survey}
    assert desk.events(result["id"])[-1] == TicketClosed()


@pytest.mark.parametrize(
    ("values", "column"),
    [
        ({"rating": 6}, "rating"),
        ({"rating": "good"}, "rating"),
        ({"opened_at": "2099-01-01T00:00:00Z"}, "opened_at"),
        ({"agent_id": str(new_id())}, "agent_id"),
        ({"comment": "no rating"}, "comment"),
        ({"priority": "sky-high"}, "priority"),
    ],
)
async def test_one_bad_row_is_refused_and_the_rest_goes_in(
    desk: Running, known: Reacting, values: dict[str, Any], column: str
) -> None:
    del known
    results = await take(desk, CALL, CALL | values, CALL)
    assert statuses(results) == ["accepted", "refused", "accepted"]
    assert results[1]["column"] == column
    assert len(desk.log()) == 4


@pytest.mark.parametrize(
    ("later", "column"),
    [
        ({"opened_at": "2021-01-02T00:00:00Z"}, "opened_at"),
        ({"rating": None}, "rating"),
        ({"agent_id": str(TOM.id)}, "agent_id"),
    ],
)
async def test_what_is_in_the_log_is_not_taken_back(
    desk: Running, known: Reacting, later: dict[str, Any], column: str
) -> None:
    del known
    await one(desk, RATED)
    before = desk.head()
    (result,) = await take(desk, RATED | later)
    assert (result["status"], result["column"]) == ("refused", column)
    assert desk.head() == before


async def test_dry_run_decides_and_saves_nothing(desk: Running) -> None:
    stranger = RATED | {"agent_id": str(new_id())}
    results = await take(desk, stranger, CALL | {"rating": 7}, dry_run=True)
    assert statuses(results) == ["accepted", "refused"]
    assert desk.head() == 0
