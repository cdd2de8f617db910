"""The roles of the views as processes over PostgreSQL and Kafka."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from crm_events.catalogue import CONTEXTS
from crm_events.contracts.pipeline import DealOpened, PipelineDefined, Stage
from crm_events.relay.relay import Relay, RelaySettings
from crm_events.relay.topics import ensure_topics
from crm_servers import KafkaServer
from crm_servers.settings import with_ours

from tests.support.keys import KeysInMemory
from tests.support.processes import Processes
from tests.support.telling import Telling
from tests.support.until import until

FIRST = Stage(key="first", name="First", rank=1, probability=0.1)


@pytest.fixture
async def pipeline(tmp_path: Path, kafka: KafkaServer, namespace: str) -> AsyncIterator[Telling]:
    """The log of pipeline, published as it grows."""
    telling = Telling(tmp_path, "pipeline", KeysInMemory())
    for context in CONTEXTS:
        await ensure_topics(kafka.bootstrap, namespace, context, 1)
    relay = Relay(telling.recorder, RelaySettings(kafka.bootstrap, namespace, "pipeline"))
    task = asyncio.create_task(relay.run())
    yield telling
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def shows(api: str, pipeline: Telling, units: int, processes: Processes) -> None:
    """The funnel comes to all that was told, and counts so many units."""
    token = f"pipeline/*/{pipeline.recorder.safe_position()}"

    def shown() -> bool:
        answer = httpx.get(f"{api}/v1/views/funnel", params={"after": token, "wait": 1})
        return answer.status_code == 200 and answer.json()["totals"]["units"] == units

    try:
        await until(shown, 60)
    except TimeoutError:
        pytest.fail(processes.told_last())


async def test_an_event_comes_from_the_log_to_an_answer(
    processes: Processes, pipeline: Telling
) -> None:
    for _ in range(2):
        await asyncio.to_thread(processes.done, "projections", "migrate")
    api = await asyncio.to_thread(processes.up, "projections", "serve")
    await asyncio.to_thread(processes.up, "projections", "project")
    await asyncio.to_thread(processes.up, "projections", "project")
    pipeline.tell(PipelineDefined(key="sales", name="Sales", stages=(FIRST,)))
    for _ in range(20):
        pipeline.tell(DealOpened(pipeline="sales", pipeline_version=1, stage=FIRST))
    await shows(api, pipeline, 20, processes)


async def test_a_view_is_computed_anew_beside_its_projection(
    processes: Processes, pipeline: Telling
) -> None:
    """As after a store was restored: the operator has no other way to a new generation."""
    await asyncio.to_thread(processes.done, "projections", "migrate")
    api = await asyncio.to_thread(processes.up, "projections", "serve")
    await asyncio.to_thread(processes.up, "projections", "project")
    pipeline.tell(PipelineDefined(key="sales", name="Sales", stages=(FIRST,)))
    pipeline.tell(DealOpened(pipeline="sales", pipeline_version=1, stage=FIRST))
    await asyncio.to_thread(processes.done, "projections", "rebuild")
    pipeline.tell(DealOpened(pipeline="sales", pipeline_version=1, stage=FIRST))
    await shows(api, pipeline, 2, processes)


async def test_jobs_asked_of_the_api_are_done_by_the_projection(
    processes: Processes, pipeline: Telling
) -> None:
    await asyncio.to_thread(processes.done, "projections", "migrate")
    api = await asyncio.to_thread(processes.up, "projections", "serve")
    await asyncio.to_thread(processes.up, "projections", "project")
    pipeline.tell(PipelineDefined(key="sales", name="Sales", stages=(FIRST,)))
    for _ in range(10):
        pipeline.tell(DealOpened(pipeline="sales", pipeline_version=1, stage=FIRST))
    await shows(api, pipeline, 10, processes)
    assert (await _worked(api, kind="rebuild", view="funnel"))["events"] == 11
    assert (await _worked(api, kind="verify", view="funnel"))["result"]["equal"]
    replayed = (await _worked(api, kind="replay", view="funnel", origin="kafka"))["result"]
    assert [table["rows"] for table in replayed["tables"]] == [10, 10, 1, 10]


async def _worked(api: str, **asked: str) -> Any:
    """A job when it is done."""
    post = partial(httpx.post, f"{api}/v1/views/jobs", json=asked)
    asked_for = (await asyncio.to_thread(post)).json()
    read = partial(httpx.get, f"{api}/v1/views/jobs/{asked_for['id']}")
    await until(lambda: read().json()["ended_at"] is not None, 60)
    job = (await asyncio.to_thread(read)).json()
    assert job["status"] == "done", job["reason"]
    return job


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"CRM_VIEWS": "funnel,happiness"}, "CRM_VIEWS names happiness"),
        ({"CRM_KAFKA": ""}, "CRM_KAFKA is missing"),
        ({"CRM_POSTGRES": ""}, "CRM_POSTGRES is missing"),
    ],
)
def test_wrong_settings_are_refused_with_the_remedy(
    processes: Processes, told: dict[str, str], reason: str
) -> None:
    command = [sys.executable, "-m", "crm_projections", "project"]
    environment = with_ours({**processes.told, **told})
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert reason in run.stderr
