from decimal import Decimal
from uuid import UUID

from crm_events.contracts.contacts import (
    ConsentGiven,
    ConsentWithdrawn,
    LifecyclePhaseEntered,
    OrganisationChanged,
    OrganisationRegistered,
    PersonChanged,
    StaffChanged,
)
from crm_events.event import Money

from tests.support.contexts import Running

ACME = {
    "name": "Acme",
    "sector": "tools",
    "revenue": {"amount": "1100.50", "currency": "USD"},
    "parent_name": "Holding",
}
MAIL = {"channel": "email", "purpose": "offers"}


async def test_change_keeps_what_it_does_not_name(contacts: Running) -> None:
    acme = await contacts.made("/organisations", ACME)
    changed = await contacts.post(
        f"/organisations/{acme}:change", {"sector": None, "region": "North"}
    )
    assert changed.headers["ETag"] == '"2"'
    assert contacts.events(acme)[1] == OrganisationChanged(
        name="Acme",
        region="North",
        revenue=Money(amount=Decimal("1100.50"), currency="USD"),
        parent_name="Holding",
    )


async def test_change_that_says_nothing_new_records_nothing(contacts: Running) -> None:
    acme = await contacts.made("/organisations", ACME)
    answer = await contacts.post(f"/organisations/{acme}:change", ACME)
    assert answer.status_code == 200
    assert answer.json()["version"] == 1
    assert len(contacts.events(acme)) == 1


async def test_money_is_stored_to_the_digit(contacts: Running) -> None:
    acme = await contacts.made("/organisations", ACME)
    (event,) = contacts.events(acme)
    assert isinstance(event, OrganisationRegistered)
    assert event.revenue is not None
    assert str(event.revenue.amount) == "1100.50"


async def test_name_cannot_be_taken_away(contacts: Running) -> None:
    acme = await contacts.made("/organisations", ACME)
    answer = await contacts.post(f"/organisations/{acme}:change", {"name": None})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "name"


async def test_staff_and_people_change(contacts: Running) -> None:
    acme = await contacts.made("/organisations", {"name": "Acme"})
    mei = await contacts.made("/staff", {"name": "Mei", "team": "North"})
    lina = await contacts.made("/people", {"name": "Li Na", "organisation_id": acme})
    await contacts.post(f"/staff/{mei}:change", {"region": "West"})
    await contacts.post(f"/people/{lina}:change", {"email": "li@example.org"})
    assert contacts.events(mei)[1] == StaffChanged(name="Mei", team="North", region="West")
    assert contacts.events(lina)[1] == PersonChanged(
        name="Li Na", email="li@example.org", organisation_id=UUID(acme)
    )


async def test_references_to_nothing_are_refused(contacts: Running) -> None:
    nobody = str(UUID(int=9))
    mei = await contacts.made("/staff", {"name": "Mei"})
    lina = await contacts.made("/people", {"name": "Li Na"})
    before = contacts.head()
    refused = {
        "/staff": ({"name": "Tom", "manager_id": nobody}, "staff-unknown"),
        f"/staff/{mei}:change": ({"manager_id": nobody}, "staff-unknown"),
        "/people": ({"name": "Tom", "organisation_id": nobody}, "organisation-unknown"),
        f"/people/{lina}:change": ({"organisation_id": mei}, "organisation-unknown"),
        f"/staff/{mei}:change ": ({"manager_id": mei}, "own-manager"),
    }
    for path, (body, slug) in refused.items():
        answer = await contacts.post(path.strip(), body)
        assert answer.status_code == 422, path
        assert answer.json()["type"] == f"/problems/{slug}"
    assert contacts.head() == before


async def test_consent_is_given_and_withdrawn(contacts: Running) -> None:
    lina = await contacts.made("/people", {"name": "Li Na"})
    await contacts.post(f"/people/{lina}:give-consent", {**MAIL, "evidence": "form 7"})
    await contacts.post(f"/people/{lina}:withdraw-consent", {**MAIL, "reason": "enough"})
    assert contacts.events(lina)[1:] == [
        ConsentGiven(channel="email", purpose="offers", evidence="form 7"),
        ConsentWithdrawn(channel="email", purpose="offers", reason="enough"),
    ]


async def test_phase_only_goes_forward(contacts: Running) -> None:
    lina = await contacts.made("/people", {"name": "Li Na"})
    acme = await contacts.made("/organisations", {"name": "Acme"})
    for path in (f"/people/{lina}", f"/organisations/{acme}"):
        assert (await contacts.post(f"{path}:enter-phase", {"phase": "signed"})).status_code == 200
        back = await contacts.post(f"{path}:enter-phase", {"phase": "prospect"})
        assert (back.status_code, back.json()["type"]) == (409, "/problems/phase-not-ahead")
    assert contacts.events(lina)[1:] == [
        LifecyclePhaseEntered(customer_kind="person", phase="signed")
    ]


async def test_things_of_one_kind_are_not_changed_as_another(contacts: Running) -> None:
    acme = await contacts.made("/organisations", {"name": "Acme"})
    answer = await contacts.post(f"/people/{acme}:change", {"region": "West"})
    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/not-found"


async def test_position_is_the_head_of_the_log(contacts: Running) -> None:
    await contacts.made("/staff", {"name": "Mei"})
    answer = await contacts.client.get("/v1/contacts/position")
    seen = {"campaigns": 0, "pipeline": 0}
    assert answer.json() == {"context": "contacts", "sequence": contacts.head(), "reacted": seen}
