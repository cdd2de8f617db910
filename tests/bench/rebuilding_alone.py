"""`python -m tests.bench.rebuilding_alone`: one rebuild, so that its memory is its own."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from crm_events.clock import utc_now
from crm_events.codec import Codec
from crm_projections.engine.database import Database, postgres_database
from crm_projections.engine.feeds import store_feeds
from crm_projections.engine.generation import find_live, migrate, open_generation
from crm_projections.engine.host import ViewHost
from crm_projections.engine.position import load_states
from crm_projections.engine.view import Projector
from crm_projections.facts.instants import Reporting
from crm_projections.views.retention.projector import RetentionView
from crm_service.collector import spare_the_collector
from prometheus_client import CollectorRegistry

from tests.bench.memory import peak
from tests.bench.stores import Store, sqlite_store_in
from tests.bench.upserts import LastEventView

VIEWS: Final[Mapping[str, Projector[Any]]] = {
    "last_event": LastEventView(),
    "retention": RetentionView(Reporting(ZoneInfo("UTC"), "EUR")),
}


async def rebuilt(database: Database, view: Projector[Any], pipeline: Store) -> dict[str, Any]:
    """Beside the live generation, or in place of none."""
    await asyncio.to_thread(migrate, database)
    feeds, codec = store_feeds({"pipeline": pipeline.recorder}), Codec(pipeline.keys)
    host = ViewHost(database, codec, [view], feeds, utc_now, CollectorRegistry())
    started = time.perf_counter()
    await host.rebuild(view.definition.id)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "peak": peak(), **_found(database, view)}


def _found(database: Database, view: Projector[Any]) -> dict[str, Any]:
    with database.reading() as connection:
        live = find_live(connection, view)
        assert live is not None
        states = load_states(connection, live).values()
    return {
        "events": sum(state.seen for state in states),
        "parked": sum(state.parked for state in states),
        "table": open_generation(view, live).tables.name,
    }


def main(told: Mapping[str, str]) -> None:
    spare_the_collector()
    with ExitStack() as stack:
        pipeline = stack.enter_context(sqlite_store_in(Path(told["folder"]), "pipeline"))
        database = stack.enter_context(closing(postgres_database(told["dsn"], told["namespace"])))
        print(json.dumps(asyncio.run(rebuilt(database, VIEWS[told["view"]], pipeline))))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
