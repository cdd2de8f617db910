from __future__ import annotations

import pytest
from crm_events.application import Position
from crm_service.positions import LONGEST_HEADER, MOST_POSITIONS, parse_position
from httpx import AsyncClient

from tests.service.test_problems import assert_problem


def test_position_reads_back_what_was_answered() -> None:
    position = Position("pipeline", 3, 1234)
    assert parse_position(str(position)) == position


@pytest.mark.parametrize(
    "text",
    ["", "pipeline", "pipeline/3", "pipeline/12/1", "Pipeline/3/1", "p/3/-1", "p/3/1/1", "p/٣/1"],
)
def test_other_texts_are_no_position(text: str) -> None:
    with pytest.raises(ValueError, match="pipeline/3/1234"):
        parse_position(text)


async def test_query_and_header_are_taken_together(client: AsyncClient) -> None:
    answer = await client.get(
        "/v1/notes?after=a/1/5&after=b/2/6", headers={"Crm-After": "c/3/7, d/4/8"}
    )
    assert answer.json()["after"] == ["a/1/5", "b/2/6", "c/3/7", "d/4/8"]


async def test_furthest_position_of_partition_counts(client: AsyncClient) -> None:
    answer = await client.get("/v1/notes?after=a/1/5&after=a/1/9&after=a/2/1&after=a/1/7")
    assert answer.json()["after"] == ["a/1/9", "a/2/1"]


async def test_malformed_positions_are_named(client: AsyncClient) -> None:
    answer = await client.get("/v1/notes?after=a/1/5&after=x", headers={"Crm-After": "y"})
    errors = assert_problem(answer, 422, "validation")["errors"]
    assert [(e["in"], e["field"]) for e in errors] == [  # type: ignore[attr-defined]
        ("query", "after"),
        ("header", "crm-after"),
    ]


async def test_too_many_positions_are_refused(client: AsyncClient) -> None:
    many = "&".join(f"after=a/1/{n}" for n in range(MOST_POSITIONS + 1))
    assert_problem(await client.get(f"/v1/notes?{many}"), 422, "validation")
    listed = ",".join(f"a/1/{n}" for n in range(LONGEST_HEADER // 6))
    answer = await client.get("/v1/notes", headers={"Crm-After": listed})
    assert_problem(answer, 422, "validation")
