"""What pipeline does about events of contacts: once each, whatever is redelivered."""

from datetime import timedelta
from uuid import UUID

from crm_events.contracts.contacts import (
    LeadConverted,
    OrganisationChanged,
    StaffChanged,
    StaffRegistered,
)
from crm_events.ids import new_id

from tests.pipeline.telling import CAMPAIGN, CUSTOMER, MEET, MEI, euros, opened
from tests.support.contexts import Reacting, Running
from tests.support.decisions import NOW
from tests.support.telling import Telling

DEAL, PERSON = UUID(int=41), UUID(int=42)
CONVERTED = LeadConverted(
    person_id=PERSON,
    deal_id=DEAL,
    pipeline="sales",
    title="Ten seats",
    amount=euros(900),
    source="fair",
    campaign_id=CAMPAIGN,
    owner=MEI,
)


async def test_converted_lead_opens_its_deal(
    sales: Running, contacts: Telling, reacting: Reacting
) -> None:
    then = NOW - timedelta(days=30)
    lead = contacts.tell(CONVERTED, at=then, origin="import")
    await reacting.catch_up()
    assert sales.events(DEAL) == [
        opened(
            MEET,
            title="Ten seats",
            customer_id=PERSON,
            lead_id=lead,
            owner=MEI,
            region="Asia",
            source="fair",
            campaign_id=CAMPAIGN,
            amount=euros(900),
        )
    ]
    stored = sales.log()[-1]
    (converted,) = contacts.recorder.read_log(0, 9).envelopes
    assert (stored.occurred_at, stored.origin) == (then, "import")
    assert (stored.causation_id, stored.correlation_id) == (converted.id, converted.correlation_id)
    assert stored.actor == "reaction:pipeline.reactions"


async def test_deal_of_an_organisation_has_its_sector(
    sales: Running, contacts: Telling, known: Reacting
) -> None:
    contacts.tell(OrganisationChanged(name="Acme", sector="health"), of=CUSTOMER)
    contacts.tell(CONVERTED.model_copy(update={"organisation_id": CUSTOMER}))
    await known.catch_up()
    (deal,) = sales.events(DEAL)
    assert getattr(deal, "customer_id", None) == CUSTOMER
    assert getattr(deal, "sector", None) == "health"


async def test_redelivery_and_crash_open_nothing_twice(
    sales: Running, contacts: Telling, reacting: Reacting
) -> None:
    contacts.tell(CONVERTED)
    await reacting.catch_up()
    before = sales.head()
    await reacting.redeliver()
    reacting.crash()
    await reacting.redeliver()
    await reacting.catch_up()
    assert sales.head() == before
    another = CONVERTED.model_copy(update={"deal_id": new_id()})
    contacts.tell(another)
    await reacting.catch_up()
    assert len(sales.events(another.deal_id)) == 1


async def test_deal_that_is_there_already_is_no_effect(
    sales: Running, contacts: Telling, reacting: Reacting
) -> None:
    contacts.tell(CONVERTED)
    contacts.tell(CONVERTED)
    await reacting.catch_up()
    assert len(sales.events(DEAL)) == 1
    assert reacting.seen("contacts") == contacts.recorder.safe_position()


async def test_lead_for_a_pipeline_nobody_defined_is_no_effect(
    pipeline: Running, contacts: Telling, reacting: Reacting
) -> None:
    contacts.tell(CONVERTED)
    await reacting.catch_up()
    assert pipeline.head() == 0
    assert reacting.seen("contacts") == contacts.recorder.safe_position()


async def test_later_moves_of_staff_leave_old_deals_alone(
    sales: Running, contacts: Telling, reacting: Reacting
) -> None:
    mei = contacts.tell(StaffRegistered(name="Mei", team="North", region="Asia"))
    await reacting.catch_up()
    first = await sales.made("/deals", {"pipeline": "sales", "owner_id": str(mei)})
    contacts.tell(StaffChanged(name="Mei", team="South", region="Europe"), of=mei)
    await reacting.catch_up()
    second = await sales.made("/deals", {"pipeline": "sales", "owner_id": str(mei)})
    teams = [getattr(sales.events(id)[0], "owner", None) for id in (first, second)]
    assert [(owner.team, owner.region) for owner in teams if owner] == [
        ("North", "Asia"),
        ("South", "Europe"),
    ]


async def test_names_of_staff_stay_in_contacts(
    sales: Running, contacts: Telling, reacting: Reacting
) -> None:
    mei = contacts.tell(StaffRegistered(name="Mei Lin Canary", team="North"))
    await reacting.catch_up()
    (entry,) = sales.storage.recorder.directory("staff", [mei]).values()
    assert entry.data == {"team": "North", "manager_id": None, "region": None}
