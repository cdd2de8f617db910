"""What an erasure has to leave, whichever databases the store and the keys lie in."""

from __future__ import annotations

from typing import Any

from crm_events.contracts.contacts import LeadCaptured, SubjectErased
from crm_events.names import name_key

from tests.support.contexts import Running

NAME = "Kanari Nachname"
LEAD = {"name": NAME, "email": "kanari@example.org", "source": "fair"}


async def converted(contacts: Running) -> tuple[str, str]:
    """The ids of a lead and of the person whom it became."""
    made = (await contacts.post("/leads", LEAD)).json()
    await contacts.post(f"/leads/{made['id']}:qualify", {"need": "printers"})
    await contacts.post(f"/leads/{made['id']}:convert", {"pipeline": "sales", "title": "Forty"})
    return made["id"], made["person_id"]


async def holding(contacts: Running, subject: str, upto: int | None = None) -> dict[str, Any]:
    query = "" if upto is None else f"?upto={upto}"
    answer = await contacts.client.get(f"/v1/contacts/subjects/{subject}{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def statement(contacts: Running, subject: str) -> dict[str, Any]:
    found = await holding(contacts, subject)
    said = {name: found[name] for name in ("context", "sequence", "events", "digest")}
    streams = [{"id": each["id"], "events": each["events"]} for each in found["streams"]]
    contexts = [{**said, "streams": streams}]
    now = "2026-06-30T12:00:00Z"
    return {"subject": subject, "stated_at": now, "contexts": contexts, "views": []}


async def erase(contacts: Running, subject: str, **headers: str) -> Any:
    body = {"reason": "request", "statement": await statement(contacts, subject)}
    return await contacts.post(f"/erasures/{subject}:erase", body, **headers)


async def leaves_nothing_legible_and_all_bytes(contacts: Running) -> None:
    lead, person = await converted(contacts)
    before, bytes_before = await holding(contacts, person), _stored(contacts)
    assert {stream["id"] for stream in before["streams"]} == {lead, person}
    assert before["legible"] == 6
    answer = await erase(contacts, person)
    assert answer.status_code == 200, answer.text
    after = await holding(contacts, person, before["sequence"])
    assert (after["events"], after["digest"]) == (before["events"], before["digest"])
    assert after["legible"] == 0
    assert _stored(contacts)[:-1] == bytes_before
    captured = contacts.events(lead)[0]
    assert isinstance(captured, LeadCaptured)
    assert (captured.name, captured.email) == (None, None)
    erased = contacts.events(person)[-1]
    assert isinstance(erased, SubjectErased)
    assert erased.statement == answer.json()["statement_sha256"]
    recorder = contacts.storage.recorder
    assert (
        recorder.directory_by_name("person", [name_key(contacts.storage.secret, "person", NAME)])
        == {}
    )


async def refuses_whatever_is_said_of_the_erased(contacts: Running) -> None:
    lead, person = await converted(contacts)
    other = (await contacts.post("/leads", LEAD)).json()
    await contacts.post(f"/leads/{other['id']}:qualify")
    for subject in (person, other["person_id"]):
        assert (await erase(contacts, subject)).status_code == 200
    head = contacts.head()
    for path, body in (
        (f"/people/{person}:change", {"name": "Kanari"}),
        (f"/people/{person}:change", {"region": "West"}),
        (f"/people/{person}:give-consent", {"channel": "mail", "purpose": "x", "evidence": "y"}),
        (f"/leads/{other['id']}:disqualify", {"reason": "gone"}),
        (f"/leads/{other['id']}:convert", {"pipeline": "sales"}),
    ):
        answer = await contacts.post(path, body)
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/subject-erased"), (
            path
        )
    assert contacts.head() == head
    assert lead != other["id"]


def _stored(contacts: Running) -> list[bytes]:
    return [envelope.data for envelope in contacts.log()]
