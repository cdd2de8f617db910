from typing import Any
from uuid import UUID

from crm_events.contracts.contacts import OrganisationRegistered, StaffRegistered
from crm_events.ids import derived_id

from tests.support.contexts import SECRET, Running


async def resolved(contacts: Running, kind: str, *names: str, **more: Any) -> list[dict[str, Any]]:
    body = {"source": "file", "kind": kind, "names": list(names), **more}
    answer = await contacts.post("/names:resolve", body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["position"] == {"context": "contacts", "sequence": contacts.head()}
    found: list[dict[str, Any]] = answer.json()["matches"]
    return found


async def test_known_names_match_exactly_or_folded(contacts: Running) -> None:
    acme = await contacts.made("/organisations", {"name": "Acme Corp"})
    exact, other = await resolved(contacts, "organisation", "Acme Corp", "ACME  corp")
    assert (exact["id"], exact["how"], exact["stub"]) == (acme, "exact", False)
    assert (other["id"], other["how"], other["known_as"]) == (acme, "folded", "Acme Corp")
    assert len(contacts.log()) == 1


async def test_unknown_names_make_one_stub_each(contacts: Running) -> None:
    first, second, third = await resolved(contacts, "staff", "Mei Lin", "meilin", "Tom")
    assert (first["how"], first["stub"]) == ("new", True)
    assert first["id"] == second["id"] == str(derived_id(SECRET, "name", "staff", "meilin"))
    assert third["id"] != first["id"]
    assert contacts.events(first["id"]) == [StaffRegistered(name="Mei Lin", stub=True)]
    assert {envelope.origin for envelope in contacts.log()} == {"import"}


async def test_resolving_again_finds_the_stub(contacts: Running) -> None:
    (first,) = await resolved(contacts, "staff", "Mei Lin")
    (again,) = await resolved(contacts, "staff", "Mei Lin")
    assert (again["id"], again["how"], again["stub"]) == (first["id"], "exact", True)
    assert len(contacts.log()) == 1


async def test_renamed_stub_is_still_what_its_old_name_made(contacts: Running) -> None:
    (first,) = await resolved(contacts, "organisation", "Acme")
    await contacts.post(f"/organisations/{first['id']}:change", {"name": "Acme International"})
    old, new = await resolved(contacts, "organisation", "Acme", "acme international")
    assert old["id"] == new["id"] == first["id"]
    assert old["known_as"] == "Acme International"


async def test_dry_run_makes_no_stub(contacts: Running) -> None:
    (match,) = await resolved(contacts, "organisation", "Acme", dry_run=True)
    assert (match["how"], UUID(match["id"]).version) == ("new", 8)
    assert contacts.head() == 0
    (made,) = await resolved(contacts, "organisation", "Acme")
    assert made["id"] == match["id"]
    assert contacts.events() == [OrganisationRegistered(name="Acme", stub=True)]


async def test_unknown_kind_is_refused(contacts: Running) -> None:
    answer = await contacts.post(
        "/names:resolve", {"source": "f", "kind": "planets", "names": ["Mars"]}
    )
    assert answer.status_code == 404
    assert "organisation, person, staff" in answer.json()["detail"]
