"""The history of one thing over HTTP, at any two times."""

from datetime import timedelta
from typing import Any

from crm_events.clock import utc_now
from crm_events.ids import new_id

from tests.support.contexts import Running


async def history(sales: Running, deal: str, **asked: Any) -> dict[str, Any]:
    answer = await sales.client.get(f"/v1/pipeline/history/{deal}", params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_deal_is_told_event_by_event(sales: Running) -> None:
    deal = await sales.made("/deals", {"pipeline": "sales", "title": "Solar roof"})
    await sales.post(f"/deals/{deal}:advance", {"stage": "offer"})
    found = await history(sales, deal)
    assert [step["event"] for step in found["events"]] == ["DealOpened", "StageAdvanced"]
    assert {step["actor"] for step in found["events"]} == {"local:tester"}
    change = {"field": "stage.key", "before": "meet", "after": "offer"}
    assert change in found["events"][1]["changes"]
    assert (found["record"]["title"], found["record"]["stage.key"]) == ("Solar roof", "offer")
    assert found["version"] == 2


async def test_effective_and_recorded_time_are_told_apart(sales: Running) -> None:
    before = utc_now()
    day = timedelta(days=1)
    long_ago = {"pipeline": "sales", "occurred_at": (before - 9 * day).isoformat()}
    deal = await sales.made("/deals", long_ago)
    moved = {"stage": "offer", "occurred_at": (before - 3 * day).isoformat()}
    await sales.post(f"/deals/{deal}:advance", moved)
    then = await history(sales, deal, as_of=(before - 5 * day).isoformat())
    assert then["record"]["stage.key"] == "meet"
    assert then["version"] == 2
    unknown = await history(sales, deal, known_at=before.isoformat())
    assert (unknown["events"], unknown["record"]) == ([], {})


async def test_erased_subject_leaves_no_text(sales: Running) -> None:
    customer = new_id()
    body = {"pipeline": "sales", "title": "Solar roof", "customer_id": str(customer)}
    deal = await sales.made("/deals", body)
    sales.storage.keys.erase(customer)
    found = await history(sales, deal)
    assert "Solar roof" not in str(found)
    assert found["record"]["customer_id"] == str(customer)


async def test_what_is_not_there_is_said(sales: Running) -> None:
    answer = await sales.client.get(f"/v1/pipeline/history/{new_id()}")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    answer = await sales.client.get(f"/v1/pipeline/history/{new_id()}", params={"as_of": "March"})
    assert answer.status_code == 422
