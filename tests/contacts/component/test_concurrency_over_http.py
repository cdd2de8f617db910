"""Repeated keys, stale versions and lost races."""

from uuid import UUID

import pytest
from crm_contacts.application import ContactsApplication
from crm_contacts.domain.lead import Lead
from crm_events.application import LostRace, StaleVersion
from crm_events.contracts.contacts import LeadTagged
from crm_service.hosting import Storage

from tests.contacts.interrupted import Interrupted, cause
from tests.contacts.telling import qualified
from tests.support.contexts import Running

LEAD = {"name": "Li Na", "source": "fair"}


async def test_repeated_key_answers_the_first_answer(contacts: Running) -> None:
    first = await contacts.post("/leads", LEAD, idempotency_key="k-1")
    again = await contacts.post("/leads", LEAD, idempotency_key="k-1")
    assert again.status_code == 201
    assert again.json() == first.json()
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(contacts.log()) == 1


async def test_repeated_command_is_answered_though_it_would_be_refused_now(
    contacts: Running,
) -> None:
    id = await contacts.made("/leads", LEAD)
    first = await contacts.post(f"/leads/{id}:qualify", idempotency_key="k-2")
    again = await contacts.post(f"/leads/{id}:qualify", idempotency_key="k-2")
    assert (again.status_code, again.json()) == (200, first.json())
    refused = await contacts.post(f"/leads/{id}:qualify", idempotency_key="k-3")
    assert refused.status_code == 409


async def test_key_with_another_body_is_refused(contacts: Running) -> None:
    await contacts.post("/leads", LEAD, idempotency_key="k-1")
    other = await contacts.post("/leads", {**LEAD, "source": "web"}, idempotency_key="k-1")
    assert other.status_code == 422
    assert other.json()["type"] == "/problems/idempotency-key-reused"
    assert len(contacts.log()) == 1


async def test_refused_command_leaves_its_key_free(contacts: Running) -> None:
    id = await contacts.made("/leads", LEAD)
    convert = {"pipeline": "sales"}
    refused = await contacts.post(f"/leads/{id}:convert", convert, idempotency_key="k-4")
    assert refused.status_code == 409
    await contacts.post(f"/leads/{id}:qualify")
    done = await contacts.post(f"/leads/{id}:convert", convert, idempotency_key="k-4")
    assert done.status_code == 200


async def test_stale_version_is_412_with_the_current_one(contacts: Running) -> None:
    id = await contacts.made("/leads", LEAD)
    tagged = await contacts.post(f"/leads/{id}:tag", {"tag": "vip"}, if_match='"1"')
    assert tagged.headers["ETag"] == '"2"'
    stale = await contacts.post(f"/leads/{id}:qualify", if_match='"1"')
    assert stale.status_code == 412
    assert stale.json()["current_version"] == 2
    assert (await contacts.post(f"/leads/{id}:qualify", if_match='"2"')).status_code == 200


@pytest.fixture
async def raced(
    storage: Storage, contacts: Running
) -> tuple[Interrupted, ContactsApplication, UUID]:
    app = contacts.context.app
    assert isinstance(app, ContactsApplication)
    slow = Interrupted(storage.recorder, storage.codec(), storage.secret)
    return slow, app, UUID(await contacts.made("/leads", LEAD))


Raced = tuple[Interrupted, ContactsApplication, UUID]


async def test_lost_race_without_version_is_told(raced: Raced) -> None:
    slow, quick, id = raced
    slow.meanwhile = lambda: quick.tag_lead(cause(), id, "vip")
    with pytest.raises(LostRace) as lost:
        slow.qualify_lead(cause(), id, None)
    assert lost.value.current_version == 2
    assert quick.load(Lead, id).status == "captured"


async def test_lost_race_with_version_is_stale(raced: Raced) -> None:
    slow, quick, id = raced
    slow.meanwhile = lambda: quick.tag_lead(cause(), id, "vip")
    with pytest.raises(StaleVersion):
        slow.qualify_lead(cause(), id, None, expected=1)


async def test_tags_commute_and_are_decided_again(raced: Raced, contacts: Running) -> None:
    slow, quick, id = raced
    slow.meanwhile = lambda: quick.qualify_lead(cause(), id, None)
    slow.tag_lead(cause(), id, "vip")
    captured, *rest = contacts.events(id)
    assert rest == [qualified(captured), LeadTagged(tag="vip")]


async def test_commuting_command_is_refused_by_what_came_between(raced: Raced) -> None:
    slow, quick, id = raced
    slow.meanwhile = lambda: quick.tag_lead(cause(), id, "vip")
    outcome = slow.tag_lead(cause(), id, "vip")
    assert outcome.version == 2
    assert quick.load(Lead, id).tags == {"vip"}
