"""What is personal never rests in plain: not in the store, not in answers kept, not in logs."""

from dataclasses import replace
from pathlib import Path

import pytest
from crm_contacts import bootstrap
from crm_events.contracts.contacts import LeadCaptured
from crm_service.hosting import Storage

from tests.support.contexts import Running, running
from tests.support.keys import KeysInMemory

CANARIES = ("Kanari Nachname", "kanari@example.org", "+49 30 5550199")
PERSON = dict(zip(("name", "email", "phone"), CANARIES, strict=True))


async def everything_personal(contacts: Running) -> str:
    """Every command and import that takes personal values; answers a lead's id."""
    lead = await contacts.made("/leads", {**PERSON, "source": "fair"})
    await contacts.post(f"/leads/{lead}:qualify")
    await contacts.post(f"/leads/{lead}:convert", {"pipeline": "sales"}, idempotency_key="k")
    person = await contacts.made("/people", PERSON)
    await contacts.post(f"/people/{person}:change", {"region": "West"})
    await contacts.made("/staff", {"name": CANARIES[0]})
    names = {"source": "s", "kind": "staff", "names": [CANARIES[0], "Kanari Other"]}
    await contacts.post("/names:resolve", names)
    row = {"line": 2, "key": "7", "row_hash": "00" * 16, "values": {**PERSON, "source": "web"}}
    answer = await contacts.post("/imports/leads", {"source": "s", "rows": [row]})
    assert answer.json()["results"][0]["status"] == "accepted"
    return lead


def _bytes_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def test_canaries_are_nowhere_in_store_or_log(
    contacts: Running, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    await everything_personal(contacts)
    refused = await contacts.post("/leads", {**PERSON, "source": "x" * 900})
    assert refused.status_code == 422
    captured, stored = capfd.readouterr(), _bytes_in(tmp_path)
    assert "/v1/contacts/leads" in captured.out, "requests are logged"
    assert b"crm.contacts.LeadCaptured.v2" in stored
    for canary in (*CANARIES, "Kanari Other"):
        assert canary.encode() not in stored
        assert canary not in captured.out + captured.err


async def test_erased_person_blanks_and_stays_erased(contacts: Running, storage: Storage) -> None:
    lead = await everything_personal(contacts)
    captured = contacts.events(lead)[0]
    assert isinstance(captured, LeadCaptured)
    assert captured.name == CANARIES[0]
    storage.keys.erase(captured.person_id)
    blank = contacts.events(lead)[0]
    assert isinstance(blank, LeadCaptured)
    assert (blank.name, blank.email, blank.phone) == (None, None, None)
    answer = await contacts.post(f"/people/{captured.person_id}:change", {"name": "Kanari"})
    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/subject-erased"


async def test_unreachable_keys_are_unavailable_not_blank(storage: Storage) -> None:
    keys = KeysInMemory()
    async with running(bootstrap.build, replace(storage, keys=keys)) as contacts:
        lead = await everything_personal(contacts)
        keys.reachable = False
        answer = await contacts.post(f"/leads/{lead}:tag", {"tag": "vip"})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
