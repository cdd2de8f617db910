"""Two versions of the program over the same tables: rows of an older shape are made anew, and a
program that is older than the tables leaves them alone."""

from __future__ import annotations

import pytest
from crm_events.contracts.contacts import LeadCaptured
from crm_events.event import Event
from crm_projections.engine.database import Database
from crm_projections.engine.generation import OutdatedView, find_live, open_live

from tests.projections.tags import TagsView
from tests.projections.test_over_stores import Stores, stores
from tests.support.until import until

__all__ = ["stores"]


class LeadTaggedV2(Event, context="contacts", version=2):
    """As the next version of the program has it."""

    tag: str


def test_rows_made_of_an_older_event_are_outdated(sqlite: Database) -> None:
    """A rebuild would make others of them: what is kept of an event is in the shape of its time."""
    open_live(sqlite, TagsView(), 0)
    newer = TagsView(handles=(LeadTaggedV2, LeadCaptured))
    with sqlite.reading() as connection, pytest.raises(OutdatedView, match="rebuild the view"):
        find_live(connection, newer)


async def test_older_program_leaves_newer_tables_alone(stores: Stores) -> None:
    made = open_live(stores.database, TagsView(version=2), 0).generation
    async with stores.following(TagsView(version=1)) as host:
        await until(lambda: "upgrade this program" in str(host.failed()))
    with stores.database.reading() as connection:
        assert find_live(connection, TagsView(version=2)) == made
