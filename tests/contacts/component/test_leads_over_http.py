from datetime import UTC, datetime
from uuid import UUID

from crm_contacts.domain.lead import Lead
from crm_events.contracts.contacts import (
    LeadAssigned,
    LeadCaptured,
    LeadConverted,
    LeadQualified,
    LeadTagged,
    LifecyclePhaseEntered,
    PersonRegistered,
)
from crm_events.event import Staff

from tests.support.contexts import Running

LEAD = {"name": "Li Na", "email": "li@example.org", "source": "fair", "tags": ["vip"]}


async def captured(contacts: Running) -> str:
    return await contacts.made("/leads", LEAD)


async def qualified(contacts: Running) -> str:
    id = await captured(contacts)
    assert (await contacts.post(f"/leads/{id}:qualify")).status_code == 200
    return id


async def test_captured_lead_is_created_with_its_place(contacts: Running) -> None:
    answer = await contacts.post("/leads", LEAD)
    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/v1/contacts/leads/{body['id']}"
    assert answer.headers["ETag"] == '"1"'
    assert body["position"]["context"] == "contacts"
    assert body["position"]["sequence"] == contacts.head()
    (event,) = contacts.events(body["id"])
    assert event == LeadCaptured(
        person_id=UUID(body["person_id"]),
        name="Li Na",
        email="li@example.org",
        source="fair",
        tags=("vip",),
    )


async def test_event_tells_who_when_and_why(contacts: Running) -> None:
    correlation = "018f3a52-0000-7000-8000-00000000000c"
    await contacts.post("/leads", LEAD, x_correlation_id=correlation)
    (envelope,) = contacts.log()
    assert envelope.actor == "local:tester"
    assert envelope.origin == "live"
    assert str(envelope.correlation_id) == correlation
    assert envelope.type == "crm.contacts.LeadCaptured.v2"


async def test_lead_goes_its_way_to_a_deal(contacts: Running) -> None:
    id = await qualified(contacts)
    tagged = await contacts.post(f"/leads/{id}:tag", {"tag": "asia"})
    assert tagged.json()["version"] == 3
    converted = await contacts.post(f"/leads/{id}:convert", {"pipeline": "sales"})
    answer = converted.json()
    person_id = UUID(answer["person_id"])
    assert contacts.events(id)[1:] == [
        LeadQualified(person_id=person_id),
        LeadTagged(tag="asia"),
        LeadConverted(
            person_id=person_id, deal_id=UUID(answer["deal_id"]), pipeline="sales", source="fair"
        ),
    ]
    assert contacts.events(person_id) == [
        PersonRegistered(name="Li Na", email="li@example.org"),
        LifecyclePhaseEntered(customer_kind="person", phase="prospect"),
    ]


async def test_organisation_is_the_prospect_where_one_is_named(contacts: Running) -> None:
    id = await qualified(contacts)
    acme = await contacts.made("/organisations", {"name": "Acme"})
    body = {
        "pipeline": "sales",
        "organisation_id": acme,
        "amount": {"amount": "9.5", "currency": "EUR"},
    }
    answer = (await contacts.post(f"/leads/{id}:convert", body)).json()
    entered = LifecyclePhaseEntered(customer_kind="organisation", phase="prospect")
    assert contacts.events(acme)[1:] == [entered]
    (person,) = contacts.events(answer["person_id"])
    assert isinstance(person, PersonRegistered)
    assert str(person.organisation_id) == acme


async def test_lead_can_turn_out_to_be_a_known_person(contacts: Running) -> None:
    id = await qualified(contacts)
    known = await contacts.made("/people", {"name": "Na Li"})
    answer = await contacts.post(f"/leads/{id}:convert", {"pipeline": "s", "person_id": known})
    assert answer.json()["person_id"] == known
    assert [type(event) for event in contacts.events(known)] == [
        PersonRegistered,
        LifecyclePhaseEntered,
    ]


async def test_converting_what_is_not_qualified_changes_nothing(contacts: Running) -> None:
    id = await captured(contacts)
    before = contacts.head()
    answer = await contacts.post(f"/leads/{id}:convert", {"pipeline": "sales"})
    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/lead-not-qualified"
    assert contacts.head() == before


async def test_owner_is_kept_as_of_the_event(contacts: Running) -> None:
    boss = await contacts.made("/staff", {"name": "Tom"})
    mei = await contacts.made(
        "/staff", {"name": "Mei", "team": "North", "manager_id": boss, "region": "Central"}
    )
    id = await contacts.made("/leads", {**LEAD, "owner_id": mei})
    await contacts.post(f"/staff/{mei}:change", {"team": "South"})
    await contacts.post(f"/leads/{id}:assign", {"owner_id": mei})
    first, second = contacts.events(id)
    assert isinstance(first, LeadCaptured)
    assert isinstance(second, LeadAssigned)
    north = Staff(id=UUID(mei), team="North", manager_id=UUID(boss), region="Central")
    assert first.owner == north
    assert first.region == "Central"
    assert second.owner == north.model_copy(update={"team": "South"})


async def test_unknown_owner_is_refused_with_the_remedy(contacts: Running) -> None:
    answer = await contacts.post("/leads", {**LEAD, "owner_id": str(UUID(int=9))})
    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/staff-unknown"
    assert "register them first" in answer.json()["detail"]


async def test_thing_of_another_kind_is_not_found(contacts: Running) -> None:
    acme = await contacts.made("/organisations", {"name": "Acme"})
    answer = await contacts.post(f"/leads/{acme}:qualify")
    assert answer.status_code == 404
    assert len(contacts.events(acme)) == 1


async def test_back_dated_command_takes_effect_then(contacts: Running) -> None:
    day = {"occurred_at": "2025-11-05T08:00:00+08:00"}
    id = await contacts.made("/leads", {**LEAD, **day})
    await contacts.post(f"/leads/{id}:qualify")
    first, second = contacts.log()
    assert first.occurred_at == datetime(2025, 11, 5, tzinfo=UTC)
    assert first.recorded_at > first.occurred_at
    assert abs((second.occurred_at - second.recorded_at).total_seconds()) < 30


async def test_future_is_refused(contacts: Running) -> None:
    answer = await contacts.post("/leads", {**LEAD, "occurred_at": "2999-01-01T00:00:00Z"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "occurred_at"
    assert contacts.head() == 0


async def test_unknown_field_is_refused(contacts: Running) -> None:
    answer = await contacts.post("/leads", {**LEAD, "adress": "x"})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"in": "body", "field": "adress", "reason": "unknown field"}]


async def test_lead_is_loaded_as_its_events_left_it(contacts: Running) -> None:
    id = await qualified(contacts)
    lead = contacts.context.app.load(Lead, UUID(id))
    assert (lead.status, lead.version, lead.facts.name) == ("qualified", 2, "Li Na")
