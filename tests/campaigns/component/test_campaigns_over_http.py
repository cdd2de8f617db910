from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from crm_events.contracts.campaigns import (
    CampaignLaunched,
    CampaignPlanned,
    Goal,
    ResponseReceived,
)
from crm_events.contracts.contacts import StaffRegistered
from crm_events.event import Money
from crm_service.hosting import Storage

from tests.support.contexts import Reacting, Running
from tests.support.telling import Telling

PLAN = {
    "name": "Spring Fair",
    "goal": {"measure": "leads", "target": 40},
    "budget": {"amount": "500.00", "currency": "EUR"},
    "channels": ["fair", "email"],
    "starts_on": "2026-03-01",
}
ANSWER = {"channel": "fair", "name": "Li Na", "email": "li@example.org", "region": "North"}


async def launched(campaigns: Running) -> str:
    id = await campaigns.made("/campaigns", PLAN)
    assert (await campaigns.post(f"/campaigns/{id}:launch")).status_code == 200
    return id


async def test_plan_is_created_with_its_place(campaigns: Running) -> None:
    answer = await campaigns.post("/campaigns", PLAN)
    id = answer.json()["id"]
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/v1/campaigns/campaigns/{id}"
    assert answer.headers["ETag"] == '"1"'
    assert campaigns.events(id) == [
        CampaignPlanned(
            name="Spring Fair",
            goal=Goal(measure="leads", target=40),
            budget=Money(amount=Decimal("500.00"), currency="EUR"),
            channels=("fair", "email"),
            starts_on=date(2026, 3, 1),
        )
    ]


async def test_campaign_is_launched_once(campaigns: Running) -> None:
    id = await launched(campaigns)
    again = await campaigns.post(f"/campaigns/{id}:launch")
    assert (again.status_code, again.json()["type"]) == (
        409,
        "/problems/campaign-already-launched",
    )
    assert campaigns.events(id)[1:] == [CampaignLaunched()]


async def test_response_is_a_stream_of_its_own_with_a_lead_to_come(campaigns: Running) -> None:
    id = await launched(campaigns)
    answer = await campaigns.post(f"/campaigns/{id}/responses", ANSWER)
    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/v1/campaigns/campaigns/{id}/responses/{body['id']}"
    assert campaigns.events(body["id"]) == [
        ResponseReceived(
            campaign_id=UUID(id),
            person_id=UUID(body["person_id"]),
            lead_id=UUID(body["lead_id"]),
            name="Li Na",
            email="li@example.org",
            channel="fair",
            region="North",
        )
    ]
    assert len(campaigns.events(id)) == 2


async def test_repeated_response_has_the_same_lead(campaigns: Running) -> None:
    id = await launched(campaigns)
    path = f"/campaigns/{id}/responses"
    first = await campaigns.post(path, ANSWER, idempotency_key="r-1")
    again = await campaigns.post(path, ANSWER, idempotency_key="r-1")
    assert again.json() == first.json()
    other = await campaigns.post(path, ANSWER, idempotency_key="r-2")
    assert other.json()["lead_id"] != first.json()["lead_id"]


async def test_only_running_campaign_takes_responses(campaigns: Running) -> None:
    id = await campaigns.made("/campaigns", PLAN)
    answer = await campaigns.post(f"/campaigns/{id}/responses", ANSWER)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/campaign-not-launched")
    nowhere = await campaigns.post(f"/campaigns/{UUID(int=4)}/responses", ANSWER)
    assert nowhere.status_code == 404


async def test_channel_nobody_planned_is_refused(campaigns: Running) -> None:
    id = await launched(campaigns)
    answer = await campaigns.post(f"/campaigns/{id}/responses", ANSWER | {"channel": "radio"})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/channel-not-planned")
    assert "fair, email" in answer.json()["detail"]


async def test_stale_launch_is_412(campaigns: Running) -> None:
    id = await launched(campaigns)
    answer = await campaigns.post(f"/campaigns/{id}:launch", if_match='"1"')
    assert (answer.status_code, answer.json()["current_version"]) == (412, 2)


async def test_responses_can_be_back_dated(campaigns: Running) -> None:
    id = await launched(campaigns)
    day = {"occurred_at": "2025-11-05T08:00:00Z"}
    await campaigns.post(f"/campaigns/{id}/responses", ANSWER | day)
    assert campaigns.log()[-1].occurred_at == datetime(2025, 11, 5, 8, tzinfo=UTC)


async def test_wrong_bodies_name_their_fields(campaigns: Running) -> None:
    wrong = PLAN | {"goal": {"measure": "fame", "target": 0, "x": 1}, "channels": []}
    answer = await campaigns.post("/campaigns", wrong)
    assert answer.status_code == 422
    fields = {error["field"] for error in answer.json()["errors"]}
    assert fields == {"goal.measure", "goal.target", "goal.x", "channels"}


async def test_names_resolve_and_unknown_campaigns_stay_unknown(campaigns: Running) -> None:
    id = await campaigns.made("/campaigns", PLAN)
    names = {"source": "f", "kind": "campaign", "names": ["Spring Fair", "springfair", "Autumn"]}
    exact, other, unknown = (await campaigns.post("/names:resolve", names)).json()["matches"]
    assert (exact["id"], exact["how"]) == (id, "exact")
    assert (other["id"], other["how"], other["known_as"]) == (id, "folded", "Spring Fair")
    assert (unknown["id"], unknown["how"], unknown["stub"]) == (None, "unknown", False)
    assert len(campaigns.log()) == 1


async def test_personal_values_are_sealed_in_the_store(campaigns: Running, tmp_path: Path) -> None:
    id = await launched(campaigns)
    await campaigns.post(f"/campaigns/{id}/responses", ANSWER)
    stored = _bytes_in(tmp_path)
    assert b"crm.campaigns.ResponseReceived.v2" in stored
    assert b"Li Na" not in stored
    assert b"li@example.org" not in stored


async def test_owner_is_known_once_contacts_has_told(
    campaigns: Running, storage: Storage, tmp_path: Path
) -> None:
    contacts = Telling(tmp_path, "contacts", storage.keys)
    mei = contacts.tell(StaffRegistered(name="Mei", team="North"))
    owned = PLAN | {"owner_id": str(mei)}
    unknown = await campaigns.post("/campaigns", owned)
    assert (unknown.status_code, unknown.json()["type"]) == (422, "/problems/staff-unknown")
    await Reacting(campaigns.context, {"contacts": contacts.recorder}).catch_up()
    id = await campaigns.made("/campaigns", owned)
    (planned,) = campaigns.events(id)
    assert isinstance(planned, CampaignPlanned)
    assert planned.owner_id == mei
    contacts.close()


def _bytes_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())
