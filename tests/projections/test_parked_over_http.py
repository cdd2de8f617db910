"""Parked events are listed, retried and skipped over HTTP, and every decision is on record."""

from collections.abc import AsyncIterator

import pytest
from crm_events.contracts.contacts import StaffChanged, StaffRegistered
from crm_projections.engine.database import Database

from tests.projections.rig import lead
from tests.projections.served import Served, serving
from tests.support.until import until


@pytest.fixture
async def served(sqlite: Database) -> AsyncIterator[Served]:
    """The names of one member of staff are parked: unreadable bytes, and a change behind them."""
    async with serving(sqlite, wanted=["names"]) as found:
        found.log.append_raw(lead(1), StaffRegistered.TYPE, b'{"name": 7}')
        found.log.append(lead(1), StaffChanged(name="Ada"))
        await found.settle()
        yield found


async def test_parked_events_are_listed_with_reasons(served: Served) -> None:
    page = await served.get("/parked")
    assert [(p["view"], p["kind"], p["type"]) for p in page["parked"]] == [
        ("names", "failed", StaffRegistered.TYPE),
        ("names", "behind", StaffChanged.TYPE),
    ]
    assert page["parked"][0]["reason"].startswith("UndecodableEvent")
    assert page["next"] is None


async def test_after_a_rebuild_only_what_can_be_decided_is_listed(served: Served) -> None:
    before = [p["id"] for p in (await served.get("/parked"))["parked"]]
    assert (await served.worked(kind="rebuild", view="names"))["status"] == "done"
    found = (await served.get("/parked"))["parked"]
    assert [p["kind"] for p in found] == ["failed", "behind"]
    assert {p["id"] for p in found}.isdisjoint(before)
    path, body = f"/v1/views/parked/{found[0]['id']}:skip", {"reason": "broken"}
    assert (await served.client.post(path, json=body)).json()["parked"] == 0
    assert (await served.get("/parked"))["parked"] == []


async def test_pages_follow_a_cursor(served: Served) -> None:
    first = await served.get("/parked", limit=1)
    second = await served.get("/parked", limit=1, cursor=first["next"])
    assert [p["kind"] for p in first["parked"] + second["parked"]] == ["failed", "behind"]
    assert second["next"] is None


async def test_retry_tells_why_it_failed_again(served: Served) -> None:
    id = (await served.get("/parked"))["parked"][0]["id"]
    answer = await served.client.post(f"/v1/views/parked/{id}:retry")
    assert answer.status_code == 200
    assert answer.json()["parked"] == 2
    assert answer.json()["reason"].startswith("UndecodableEvent")
    assert (await served.get("/parked"))["parked"][0]["attempts"] == 2


async def test_skip_applies_what_waited_and_is_recorded(served: Served) -> None:
    id = (await served.get("/parked"))["parked"][0]["id"]
    body = {"reason": "broken by the import of May"}
    answer = await served.client.post(f"/v1/views/parked/{id}:skip", json=body)
    assert answer.json() == {"applied": 1, "skipped": 1, "parked": 0, "reason": None}
    assert (await served.get("/parked"))["parked"] == []
    skipped = (await served.get("/parked", status="skipped"))["parked"][0]
    assert skipped["decision"] == body["reason"]
    assert skipped["decided_by"] == "local:tester"
    assert skipped["decided_at"] is not None


async def test_the_same_decision_again_changes_nothing(served: Served) -> None:
    id = (await served.get("/parked"))["parked"][0]["id"]
    path, body = f"/v1/views/parked/{id}:skip", {"reason": "broken"}
    await served.client.post(path, json=body)
    again = await served.client.post(path, json=body)
    assert (again.status_code, again.json()["parked"]) == (200, 0)
    other = await served.client.post(path, json={"reason": "another"})
    assert (other.status_code, other.json()["type"]) == (409, "/problems/letter-settled")


async def test_skipping_out_of_order_names_the_first(served: Served) -> None:
    first, second = (await served.get("/parked"))["parked"]
    path = f"/v1/views/parked/{second['id']}:skip"
    answer = await served.client.post(path, json={"reason": "no"})
    assert (answer.status_code, answer.json()["first"]) == (409, first["id"])


@pytest.mark.parametrize("body", [None, {}, {"reason": " "}, {"reason": "x", "by": "me"}])
async def test_skip_needs_a_reason_and_nothing_else(
    served: Served, body: dict[str, str] | None
) -> None:
    answer = await served.client.post("/v1/views/parked/1:skip", json=body)
    assert answer.status_code in {400, 422}
    assert len((await served.get("/parked"))["parked"]) == 2


async def test_unknown_letters_are_not_found(served: Served) -> None:
    answer = await served.client.post("/v1/views/parked/4711:retry")
    assert answer.status_code == 404


async def test_views_are_listed_with_their_counts(served: Served) -> None:
    views = {view["name"]: view for view in (await served.get(""))["views"]}
    assert set(views) == {"funnel", "satisfaction", "retention", "names"}
    names = views["names"]
    assert (names["applied"], names["parked"], names["stopped"]) == (0, 2, None)
    assert names["position"]["contacts"] == 2
    assert "by" in views["funnel"]["parameters"]


async def test_position_is_that_of_the_slowest_view(served: Served) -> None:
    found = await served.get("/position")
    assert found["views"]["names"]["contacts"] == 2
    assert found["position"]["contacts"] == 0


async def test_a_stopped_view_says_why(served: Served) -> None:
    served.log.append_raw(lead(2), "crm.contacts.StaffPraised.v1", b"{}")
    await until(lambda: served.host.failed() is not None)
    views = {view["name"]: view for view in (await served.get(""))["views"]}
    assert "StaffPraised" in views["names"]["stopped"]
