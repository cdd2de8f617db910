"""Rows of deals: a state, at best two dates, and what a later row says otherwise."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from crm_events.contracts.pipeline import (
    DealAmended,
    DealAssigned,
    DealLost,
    DealOpened,
    DealReopened,
    DealWon,
    PipelineDefined,
    Stage,
    StageAdvanced,
    StageMovedBack,
)
from crm_events.ids import derived_id, new_id

from tests.pipeline.telling import CUSTOMER, MEI, TOM, euros
from tests.support.contexts import SECRET, Reacting, Running
from tests.support.importing import Results, imported, rows, statuses

OPTIONS = {"stages": ["Prospecting", "Engaging"], "won": "Won", "lost": "Lost"}
FIRST = Stage(key="Prospecting", name="Prospecting", rank=1, probability=0.3333)
LAST = Stage(key="Engaging", name="Engaging", rank=2, probability=0.6667)
OPENED_AT, CLOSED_AT = "2016-10-20T00:00:00Z", "2017-03-01T00:00:00Z"
OPENED, CLOSED = datetime(2016, 10, 20, tzinfo=UTC), datetime(2017, 3, 1, tzinfo=UTC)
WON = {"stage": "Won", "opened_at": OPENED_AT, "closed_at": CLOSED_AT, "amount": "1054"}


def opened(stage: Stage, **facts: Any) -> DealOpened:
    return DealOpened(pipeline="sales", pipeline_version=1, stage=stage, **facts)


async def take(pipeline: Running, *values: dict[str, Any], **more: Any) -> Results:
    more = {"options": OPTIONS} | more
    return await imported(pipeline, "deals", rows(*values), **more)


async def one(pipeline: Running, **values: Any) -> str:
    (result,) = await take(pipeline, values)
    assert result["status"] == "accepted", result
    return str(result["id"])


def times(pipeline: Running, id: str) -> list[datetime]:
    return [e.occurred_at for e in pipeline.log() if str(e.aggregate_id) == id]


async def test_pipeline_is_defined_from_the_stages_that_are_said(pipeline: Running) -> None:
    await one(pipeline, **WON)
    assert pipeline.events()[0] == PipelineDefined(
        key="sales", name="sales", stages=(FIRST, LAST), won_name="Won", lost_name="Lost"
    )
    await take(pipeline, WON, WON)
    assert sum(isinstance(e, PipelineDefined) for e in pipeline.events()) == 1


async def test_won_deal_was_in_the_last_stage_since_its_opening(pipeline: Running) -> None:
    id = await one(pipeline, **WON)
    assert id == str(derived_id(SECRET, "file", "deals", "0"))
    assert pipeline.events(id) == [opened(LAST), DealWon(stage=LAST, amount=euros(1054))]
    assert times(pipeline, id) == [OPENED, CLOSED]
    assert {e.origin for e in pipeline.log()} == {"import"}


async def test_lost_deal_says_why_where_the_file_does(pipeline: Running) -> None:
    id = await one(pipeline, **WON | {"stage": "Lost", "amount": "0", "lost_reason": "price"})
    assert pipeline.events(id)[1] == DealLost(stage=LAST, reason="price", amount=euros(0))


async def test_open_deal_stands_where_the_file_says(pipeline: Running) -> None:
    id = await one(pipeline, stage="Engaging", opened_at=OPENED_AT, amount="12.50", title="Seats")
    assert pipeline.events(id) == [opened(LAST, title="Seats", amount=euros("12.50"))]
    assert times(pipeline, id) == [OPENED]


async def test_deal_without_dates_has_unknown_history(pipeline: Running) -> None:
    before = datetime.now(UTC)  # noqa: TID251 (what the import is effective at)
    prospect = await one(pipeline, stage="Prospecting")
    results = await take(pipeline, {"stage": "Prospecting"}, {"stage": "Won", "amount": "5"})
    won = results[1]["id"]
    assert pipeline.events(prospect) == [opened(FIRST, history_unknown=True)]
    assert pipeline.events(won) == [
        opened(LAST, history_unknown=True),
        DealWon(stage=LAST, amount=euros(5), history_unknown=True),
    ]
    assert all(time >= before for id in (prospect, won) for time in times(pipeline, id))


async def test_one_known_date_is_kept(pipeline: Running) -> None:
    only_closed = await one(pipeline, stage="Won", closed_at=CLOSED_AT)
    assert pipeline.events(only_closed) == [
        opened(LAST, history_unknown=True),
        DealWon(stage=LAST),
    ]
    assert times(pipeline, only_closed) == [CLOSED, CLOSED]
    results = await take(
        pipeline, {"stage": "Won", "closed_at": CLOSED_AT}, WON | {"closed_at": None}
    )
    only_opened = results[1]["id"]
    assert pipeline.events(only_opened)[1] == DealWon(
        stage=LAST, amount=euros(1054), history_unknown=True
    )
    assert times(pipeline, only_opened)[0] == OPENED


async def test_close_before_opening_is_a_fact(pipeline: Running) -> None:
    id = await one(pipeline, **WON | {"opened_at": CLOSED_AT, "closed_at": OPENED_AT})
    assert times(pipeline, id) == [CLOSED, OPENED]


async def test_names_of_stages_match_ignoring_case_and_spaces(pipeline: Running) -> None:
    id = await one(pipeline, stage=" engaging ", opened_at=OPENED_AT)
    assert pipeline.events(id) == [opened(LAST)]


async def test_several_names_may_mean_won(pipeline: Running) -> None:
    more = {"options": OPTIONS | {"won": ["Closed Won", "Signed"]}}
    (result,) = await take(pipeline, WON | {"stage": "signed"}, **more)
    assert isinstance(pipeline.events(result["id"])[1], DealWon)


async def test_closing_date_of_an_open_deal_is_expected(pipeline: Running) -> None:
    id = await one(pipeline, stage="Engaging", opened_at=OPENED_AT, closed_at="2099-03-01T00:00Z")
    assert pipeline.events(id) == [opened(LAST, expected_close=date(2099, 3, 1))]


async def test_deal_has_owner_region_and_sector_of_this_day(
    pipeline: Running, known: Reacting
) -> None:
    del known
    id = await one(pipeline, **WON, owner_id=str(MEI.id), customer_id=str(CUSTOMER))
    assert pipeline.events(id) == [
        opened(LAST, owner=MEI, region="Asia", sector="retail", customer_id=CUSTOMER),
        DealWon(stage=LAST, owner=MEI, customer_id=CUSTOMER, amount=euros(1054)),
    ]


async def test_currency_comes_from_row_file_or_company(pipeline: Running) -> None:
    said = {"options": OPTIONS | {"currency": "GBP"}}
    values = [WON, WON | {"currency": "USD"}]
    results = await take(pipeline, *values, **said)
    amounts = [getattr(pipeline.events(r["id"])[1], "amount", None) for r in results]
    assert [a.currency for a in amounts if a] == ["GBP", "USD"]


@pytest.mark.parametrize(
    ("values", "column", "reason"),
    [
        ({"stage": "Nowhere"}, "stage", "Prospecting, Engaging, Won, Lost"),
        ({}, "stage", "--stages"),
        ({"stage": "Won", "owner_id": str(new_id())}, "owner_id", "resolve the name"),
        ({"stage": "Won", "product_id": str(new_id())}, "product_id", "resolve the name"),
        ({"stage": "Won", "closed_at": "2099-01-01T00:00Z"}, "closed_at", "future"),
        ({"stage": "Won", "amount": 5}, "amount", "decimal string"),
        ({"stage": "Won", "colour": "red"}, "colour", "unknown field"),
        ({"stage": "Won", "amount": "-5"}, "amount", "greater than or equal to 0"),
    ],
)
async def test_one_bad_row_is_refused_and_the_rest_goes_in(
    pipeline: Running, values: dict[str, Any], column: str | None, reason: str
) -> None:
    first, bad, last = await take(pipeline, WON, values, WON)
    assert (first["status"], bad["status"], last["status"]) == ("accepted", "refused", "accepted")
    assert (bad["line"], bad.get("column")) == (3, column)
    assert reason in bad["reason"]
    assert len(pipeline.events()) == 5


async def test_order_of_stages_must_be_said_once(pipeline: Running) -> None:
    answer = await pipeline.post("/imports/deals", {"source": "file", "rows": rows(WON)})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/import-options")
    assert '--stages "Prospecting,Engaging"' in answer.json()["detail"]
    assert pipeline.head() == 0
    await one(pipeline, **WON)
    assert statuses(await take(pipeline, WON, WON, options={})) == ["unchanged", "accepted"]


async def test_pipeline_with_other_stages_is_refused_with_the_remedy(sales: Running) -> None:
    body = {"source": "file", "rows": rows(WON), "options": OPTIONS}
    answer = await sales.post("/imports/deals", body)
    assert answer.status_code == 422
    assert '--stages "Meeting,Offer,Signing" --won "Won"' in answer.json()["detail"]
    assert sales.head() == 1


async def test_dry_run_decides_and_saves_nothing(pipeline: Running) -> None:
    unknown = {"owner_id": str(new_id()), "product_id": str(new_id())}
    results = await take(pipeline, WON | unknown, {"stage": "Nowhere"}, dry_run=True)
    assert statuses(results) == ["accepted", "refused"]
    assert pipeline.head() == 0
    assert statuses(await take(pipeline, WON)) == ["accepted"]


async def test_same_file_again_changes_nothing(pipeline: Running) -> None:
    await take(pipeline, WON, {"stage": "Engaging"})
    before = pipeline.head()
    again = await take(pipeline, WON, {"stage": "Engaging"})
    assert statuses(again) == ["unchanged", "unchanged"]
    assert pipeline.head() == before


OPEN = {"stage": "Prospecting", "opened_at": OPENED_AT, "amount": "10"}


@pytest.mark.parametrize(
    ("earlier", "later", "difference"),
    [
        (OPEN, {"stage": "Engaging"}, [StageAdvanced]),
        (OPEN | {"stage": "Engaging"}, {"stage": "Prospecting"}, [StageMovedBack]),
        (OPEN, {"stage": "Won", "closed_at": CLOSED_AT}, [DealWon]),
        (OPEN, {"stage": "Lost", "closed_at": CLOSED_AT, "amount": "0"}, [DealLost]),
        (OPEN, {"amount": "11"}, [DealAmended]),
        (OPEN, {"amount": "10.00"}, []),
        (OPEN, {"title": "Seats", "stage": "Engaging"}, [DealAmended, StageAdvanced]),
        (WON, {"amount": "1100"}, [DealAmended]),
        (WON, {"stage": "Lost"}, [DealReopened, DealLost]),
        (WON, {"stage": "Engaging", "closed_at": None}, [DealReopened]),
        (WON, {"closed_at": "2017-05-01T00:00:00Z"}, [DealReopened, DealWon]),
        (OPEN, {"owner_id": str(TOM.id)}, [DealAssigned]),
    ],
)
async def test_changed_row_emits_only_its_differences(
    pipeline: Running,
    known: Reacting,
    earlier: dict[str, Any],
    later: dict[str, Any],
    difference: list[type],
) -> None:
    del known
    id = await one(pipeline, **earlier)
    before = pipeline.head()
    (result,) = await take(pipeline, earlier | later)
    assert result["status"] == ("accepted" if difference else "unchanged")
    assert [type(event) for event in pipeline.events(after=before)] == difference
    assert result["id"] == id


async def test_rows_going_back_end_as_they_began(pipeline: Running) -> None:
    other = WON | {"stage": "Engaging", "closed_at": None, "amount": "900"}
    for row in (WON, other, WON):
        (result,) = await take(pipeline, row)
        assert result["status"] == "accepted"
    events = pipeline.events(result["id"])
    assert [type(e) for e in events[-2:]] == [DealReopened, DealWon]
    assert events[-1] == DealWon(stage=LAST, amount=euros(1054))
    assert times(pipeline, result["id"])[-1] == CLOSED
    assert statuses(await take(pipeline, WON)) == ["unchanged"]


async def test_opening_date_stays_as_it_was_imported(pipeline: Running) -> None:
    await one(pipeline, **WON)
    (result,) = await take(pipeline, WON | {"opened_at": "2016-10-21T00:00:00Z"})
    assert (result["status"], result["column"]) == ("refused", "opened_at")


async def test_column_that_is_missing_takes_nothing_away(pipeline: Running) -> None:
    id = await one(pipeline, **OPEN, title="Seats", source="fair")
    await take(pipeline, OPEN | {"source": None})
    assert pipeline.events(id)[-1] == DealAmended(title="Seats", amount=euros(10))


async def test_deal_does_not_change_its_pipeline_by_a_row(pipeline: Running) -> None:
    await one(pipeline, **OPEN)
    (result,) = await take(pipeline, OPEN | {"amount": "1"}, options=OPTIONS | {"pipeline": "b"})
    assert (result["status"], result["column"]) == ("refused", "stage")
    assert "'sales'" in result["reason"]
