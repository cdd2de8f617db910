"""The log of a context over HTTP: all of it, in order, page by page, sealed as it is stored."""

from __future__ import annotations

import pytest
from crm_events.lines import from_line
from crm_service.hosting import Storage

from tests.support.contexts import Running


async def test_pages_tell_the_whole_log_in_order(contacts: Running, storage: Storage) -> None:
    for number in range(7):
        await contacts.made("/organisations", {"name": f"Acme {number}"})
    whole = storage.recorder.read_log(0, 100).envelopes
    found, after = [], 0
    while True:
        page = await contacts.get("/events", after=after, limit=3)
        assert page.headers["content-type"] == "application/x-ndjson"
        lines = page.content.splitlines()
        assert len(lines) <= 3
        found += [from_line(line) for line in lines]
        if not lines:
            break
        after = int(page.headers["Crm-Complete-To"])
    assert found == list(whole)
    assert after == storage.recorder.safe_position() == 7


async def test_personal_fields_stay_sealed(contacts: Running) -> None:
    await contacts.made("/leads", {"name": "Ada Lovelace", "source": "web"})
    page = await contacts.get("/events")
    assert b"LeadCaptured" in page.content
    assert b"Lovelace" not in page.content


@pytest.mark.parametrize(
    ("query", "field"),
    [({"after": -1}, "after"), ({"limit": 0}, "limit"), ({"limit": 5_001}, "limit")],
)
async def test_wrong_pages_are_refused(
    contacts: Running, query: dict[str, int], field: str
) -> None:
    answer = await contacts.get("/events", **query)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
