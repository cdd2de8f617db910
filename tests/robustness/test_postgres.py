"""The same over PostgreSQL, which refuses other values than SQLite: a context, and the views."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from crm_events.keys.open import migrate_keys
from crm_events.store.open import migrate
from crm_pipeline import bootstrap
from crm_projections.engine.database import postgres_database as views_database
from crm_projections.engine.generation import migrate as migrate_views
from crm_service.distributed import storage_of
from crm_service.settings import ServiceSettings
from pydantic import SecretStr

from tests.projections.served import serving
from tests.robustness.documents import STAGES, Known, loaded
from tests.robustness.exploring import Explorer
from tests.robustness.speaking import Speaking, spoken_to
from tests.robustness.test_hostile import refused_in_words
from tests.support.contexts import running
from tests.support.processes import master_key_in

KNOWN: Known = {"pipeline": ["sales"], "stage": STAGES, "kind": ["product"]}


@pytest.fixture
def pipeline(tmp_path: Path, postgres_database: str, namespace: str) -> Iterator[Speaking]:
    """The context, with the pipeline that the generated bodies name."""
    migrate(postgres_database, namespace, "pipeline")
    migrate_keys(postgres_database, namespace)
    settings = ServiceSettings(
        namespace=namespace,
        postgres=SecretStr(postgres_database),
        keys=SecretStr(postgres_database),
        master_key_file=master_key_in(tmp_path),
    )

    @asynccontextmanager
    async def opening() -> AsyncIterator[httpx.AsyncClient]:
        async with running(bootstrap.build, storage) as found:
            yield found.client

    with storage_of(settings, "pipeline") as storage, spoken_to(opening) as speaking:
        stages = [{"key": key, "probability": 0.5} for key in STAGES]
        speaking.ask("POST", "/v1/pipeline/pipelines", {"key": "sales", "stages": stages})
        yield speaking


@pytest.fixture
def views(postgres_database: str) -> Iterator[Speaking]:
    database = views_database(postgres_database, "t")

    @asynccontextmanager
    async def opening() -> AsyncIterator[httpx.AsyncClient]:
        async with serving(database) as served:
            yield served.client

    with ExitStack() as closing:
        closing.callback(database.close)
        migrate_views(database)
        yield closing.enter_context(spoken_to(opening))


def test_hostile_values_do_not_reach_the_store(pipeline: Speaking) -> None:
    assert refused_in_words(pipeline, "/openapi.json") > 100


def test_hostile_values_do_not_reach_the_views(views: Speaking) -> None:
    assert refused_in_words(views, "/openapi.json") > 100


def test_sequences_answer_as_described(pipeline: Speaking) -> None:
    exploring = Explorer(pipeline, loaded(pipeline.ask("GET", "/openapi.json"), KNOWN))
    exploring.sequences("^/v1/pipeline/deals", examples=10, steps=6)
    assert "POST /v1/pipeline/deals" in exploring.reached()


def test_views_answer_as_described(views: Speaking) -> None:
    exploring = Explorer(views, loaded(views.ask("GET", "/openapi.json"), KNOWN))
    exploring.each_operation(examples=6)
    assert "GET /v1/views/funnel" in exploring.reached()
