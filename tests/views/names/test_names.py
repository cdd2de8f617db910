"""Every event that names something leaves its newest name, and nothing where it was erased."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from crm_events.catalogue import context_of
from crm_events.clock import utc_now
from crm_events.contracts.campaigns import CampaignPlanned, Goal
from crm_events.contracts.contacts import (
    OrganisationChanged,
    OrganisationRegistered,
    PersonChanged,
    PersonRegistered,
    StaffChanged,
    StaffRegistered,
)
from crm_events.contracts.pipeline import (
    PipelineDefined,
    PipelineStagesChanged,
    ProductChanged,
    ProductRegistered,
    Stage,
)
from crm_events.event import Event, Money
from crm_projections.engine.database import Database
from crm_projections.engine.feeds import Feeds
from crm_projections.engine.generation import open_live
from crm_projections.engine.host import ViewHost
from crm_projections.views import names
from crm_projections.views.names.queries import names_of
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from tests.projections.rig import Rig, lead
from tests.support.fake_feed import FakeFeed

STAGE = Stage(key="trial", name="Trial", rank=1, probability=0.2)
CAMPAIGN = CampaignPlanned(
    name="Spring",
    goal=Goal(measure="leads", target=10),
    budget=Money(amount=Decimal(1), currency="EUR"),
    channels=("mail",),
)


async def _named(rig: Rig) -> dict[str, str]:
    """Ids to names, once everything in the log has been taken."""
    contexts = names().contexts

    def open_feed(_: str, of: tuple[str, ...], positions: object) -> FakeFeed:
        return FakeFeed(rig.log, positions, of)  # type: ignore[arg-type]

    feeds = Feeds(open_feed, open_feed, shared=True)
    host = ViewHost(rig.database, rig.codec, [names()], feeds, utc_now, CollectorRegistry())
    await host.start()
    try:
        heads = {context: rig.log.heads[context] for context in contexts}
        assert await host.wait_caught_up(heads, 20)
        assert (await host.verify("names")).differences == []
    finally:
        await host.stop()
    return _all_names(rig.database)


def _all_names(database: Database) -> dict[str, str]:
    table = open_live(database, names(), 0).tables
    with database.reading() as connection:
        ids = [row.id for row in connection.execute(select(table.c.id))]
        return dict(names_of(connection, table, ids))


@pytest.mark.parametrize(
    ("events", "name"),
    [
        ([StaffRegistered(name="Ada")], "Ada"),
        ([StaffRegistered(name="Ada"), StaffChanged(name="Ada L.")], "Ada L."),
        ([OrganisationRegistered(name="Acme")], "Acme"),
        ([OrganisationRegistered(name="Acme"), OrganisationChanged(name="Acme AG")], "Acme AG"),
        ([PersonRegistered(name="Bo")], "Bo"),
        ([PersonRegistered(name="Bo"), PersonChanged(name="Bo B.")], "Bo B."),
        ([ProductRegistered(name="GTX")], "GTX"),
        ([ProductRegistered(name="GTX"), ProductChanged(name="GTX Pro")], "GTX Pro"),
        ([CAMPAIGN], "Spring"),
        ([PersonRegistered(name="Bo"), PersonChanged(name=None)], None),
    ],
)
async def test_the_newest_name_is_shown(
    light_rig: Rig, events: Sequence[Event], name: str | None
) -> None:
    light_rig.log.append(lead(1), *events)
    assert (await _named(light_rig)).get(str(lead(1))) == name


async def test_pipelines_and_stages_are_named(light_rig: Rig) -> None:
    renamed = STAGE.model_copy(update={"name": "Test drive"})
    light_rig.log.append(
        lead(1),
        PipelineDefined(key="sales", name="Sales", stages=(STAGE,)),
        PipelineStagesChanged(pipeline_version=2, stages=(renamed,)),
    )
    found = await _named(light_rig)
    assert found == {str(lead(1)): "Sales", f"{lead(1)}/trial": "Test drive"}


async def test_the_name_of_an_erased_person_is_blank(light_rig: Rig) -> None:
    light_rig.log.append(lead(1), PersonRegistered(name="Bo"))
    light_rig.log.append(lead(2), PersonRegistered(name="Cy"))
    light_rig.keys.erase(lead(1))
    assert await _named(light_rig) == {str(lead(2)): "Cy"}


async def test_many_ids_are_looked_up_at_once(light_rig: Rig) -> None:
    for number in range(1_100):
        light_rig.log.append(lead(number), OrganisationRegistered(name=f"Firm {number}"))
    assert len(await _named(light_rig)) == 1_100


def test_every_handled_event_lies_in_a_context_that_is_read() -> None:
    view = names()
    assert {context_of(event.TYPE) for event in view.handles} == set(view.contexts)
