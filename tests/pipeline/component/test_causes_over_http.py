"""One event, and the events of a correlation, over HTTP."""

from typing import Any

from crm_events.ids import new_id

from tests.support.contexts import Running


async def got(sales: Running, path: str, **asked: Any) -> dict[str, Any]:
    answer = await sales.client.get(f"/v1/pipeline{path}", params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_an_event_tells_all_of_its_envelope(sales: Running) -> None:
    correlation = str(new_id())
    body = {"pipeline": "sales", "title": "Solar roof"}
    made = await sales.post("/deals", body, x_correlation_id=correlation)
    stored = sales.log()[-1]
    event = await got(sales, f"/events/{stored.id}")
    assert (event["event"], event["context"]) == ("DealOpened", "pipeline")
    assert (event["correlation_id"], event["causation_id"]) == (correlation, None)
    assert (event["actor"], event["aggregate_id"]) == ("local:tester", made.json()["id"])
    assert event["says"]["title"] == "Solar roof"


async def test_what_is_personal_of_an_erased_subject_is_not_told(sales: Running) -> None:
    customer = new_id()
    body = {"pipeline": "sales", "title": "Solar roof", "customer_id": str(customer)}
    await sales.made("/deals", body)
    sales.storage.keys.erase(customer)
    event = await got(sales, f"/events/{sales.log()[-1].id}")
    assert "title" not in event["says"]


async def test_a_correlation_is_read_page_by_page(sales: Running) -> None:
    correlation = str(new_id())
    for _ in range(3):
        await sales.post("/deals", {"pipeline": "sales"}, x_correlation_id=correlation)
    whole = await got(sales, f"/correlations/{correlation}")
    assert (len(whole["events"]), whole["next"]) == (3, None)
    first = await got(sales, f"/correlations/{correlation}", limit=2)
    rest = await got(sales, f"/correlations/{correlation}", limit=2, after=first["next"])
    assert [*first["events"], *rest["events"]] == whole["events"]


async def test_what_is_not_there_is_said(sales: Running) -> None:
    answer = await sales.client.get(f"/v1/pipeline/events/{new_id()}")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    nothing = await got(sales, f"/correlations/{new_id()}")
    assert nothing == {"events": [], "next": None}
