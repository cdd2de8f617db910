"""What a request leaves behind: metrics with bounded labels, and log lines without content."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from crm_service.logging import configure
from httpx import AsyncClient
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests.service.conftest import MakeApp, client_of
from tests.service.notes import SECRET
from tests.support import logs


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    written = io.StringIO()
    configure("INFO", written)
    yield written
    root.handlers[:], level = before
    root.setLevel(level)
    logs.silent()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


async def samples(client: AsyncClient, name: str) -> list[Sample]:
    text = (await client.get("/metrics")).text
    families = list(text_string_to_metric_families(text))
    return [s for family in families for s in family.samples if s.name == name]


async def test_durations_are_counted_by_template(client: AsyncClient) -> None:
    for n in range(3):
        await client.patch(f"/v1/notes/{n}", json={"text": "a"})
    await client.get("/v1/notes")
    found = await samples(client, "crm_http_request_duration_seconds_count")
    assert {
        (s.labels["method"], s.labels["route"], s.labels["status"]): s.value for s in found
    } == {
        ("PATCH", "/v1/notes/{note_id}", "422"): 3,
        ("GET", "/v1/notes", "200"): 1,
    }


async def test_labels_stay_bounded_under_odd_requests(client: AsyncClient) -> None:
    for n in range(5):
        await client.request(f"ODD{n}", f"/nowhere/{n}")
    found = await samples(client, "crm_http_request_duration_seconds_count")
    assert [(s.labels["method"], s.labels["route"], s.value) for s in found] == [
        ("OTHER", "unmatched", 5)
    ]


async def test_problems_are_counted_by_slug(client: AsyncClient) -> None:
    await client.get("/nowhere")
    await client.get("/v1/failing/bug")
    found = await samples(client, "crm_http_problems_total")
    assert {s.labels["slug"]: s.value for s in found} == {"no-such-path": 1, "internal-error": 1}


async def test_nothing_is_in_flight_afterwards(client: AsyncClient) -> None:
    await client.get("/v1/failing/bug")
    found = await samples(client, "crm_http_requests_in_flight")
    assert [s.value for s in found] == [1]  # the request for the metrics itself


async def test_request_leaves_one_line(make_app: MakeApp, stream: io.StringIO) -> None:
    async with client_of(make_app()) as client:
        answer = await client.post(f"/v1/notes?cursor={SECRET}", json={"text": SECRET})
        await client.get("/livez")
    (line,) = lines(stream)
    assert line.pop("duration_ms") > 0
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "request",
        "level": "info",
        "logger": "crm_service.observed",
        "context": "notes",
        "correlation_id": answer.headers["x-correlation-id"],
        "principal": "local:ada",
        "method": "POST",
        "route": "/v1/notes",
        "status": 422,
    }
    assert SECRET not in stream.getvalue()


async def test_bug_is_logged_by_class_and_place(make_app: MakeApp, stream: io.StringIO) -> None:
    async with client_of(make_app()) as client:
        await client.get("/v1/failing/bug")
    failed, request = lines(stream)
    assert (failed["event"], failed["level"], request["status"]) == ("request_failed", "error", 500)
    assert failed["correlation_id"] == request["correlation_id"]
    assert failed["exception"][0]["type"] == "RuntimeError"
    assert failed["exception"][0]["at"][-1].startswith("notes.py:")
    assert SECRET not in stream.getvalue()


async def test_refusals_are_no_errors_in_log(make_app: MakeApp, stream: io.StringIO) -> None:
    async with client_of(make_app()) as client:
        for path in ("sealed", "down", "race"):
            await client.get(f"/v1/failing/{path}")
    assert [line["level"] for line in lines(stream)] == ["info"] * 3


async def test_broken_stream_is_cut_not_completed(make_app: MakeApp, stream: io.StringIO) -> None:
    async with client_of(make_app()) as client:
        with pytest.raises(RuntimeError):
            await client.get("/v1/failing/stream")
    assert [line["event"] for line in lines(stream)] == ["request_failed", "request"]


def test_keys_nobody_allowed_are_dropped_and_named(stream: io.StringIO) -> None:
    structlog.get_logger("t").info("imported", count=3, email=SECRET, body={"a": 1})
    (line,) = lines(stream)
    assert (line["count"], line["dropped"]) == (3, ["body", "email"])
    assert SECRET not in stream.getvalue()


def test_standard_library_logs_have_same_shape(stream: io.StringIO) -> None:
    error = ValueError(SECRET)
    logging.getLogger("uvicorn.error").error("it broke", exc_info=error)
    (line,) = lines(stream)
    assert (line["event"], line["logger"], line["level"]) == ("it broke", "uvicorn.error", "error")
    assert line["exception"][0]["type"] == "ValueError"
    assert SECRET not in stream.getvalue()


def test_causes_of_exception_are_listed(stream: io.StringIO) -> None:
    error = RuntimeError(SECRET)
    error.__cause__ = KeyError(SECRET)
    structlog.get_logger("t").error("failed", exc_info=error)
    (line,) = lines(stream)
    assert [link["type"] for link in line["exception"]] == ["RuntimeError", "KeyError"]
    assert SECRET not in stream.getvalue()


def test_level_hides_what_lies_below(stream: io.StringIO) -> None:
    configure("WARNING", stream)
    structlog.get_logger("t").info("hidden")
    structlog.get_logger("t").warning("shown")
    assert [line["event"] for line in lines(stream)] == ["shown"]


def test_logger_with_a_way_of_its_own_is_taken_over(stream: io.StringIO) -> None:
    own = io.StringIO()
    library = logging.getLogger("a_library")
    library.addHandler(logging.StreamHandler(own))
    library.propagate = False
    configure("INFO", stream)
    library.warning("it %s", "waits")
    (line,) = lines(stream)
    assert (line["event"], line["logger"], own.getvalue()) == ("it waits", "a_library", "")
