"""Reading your own writes: the positions a query is to wait for before it answers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, Final

from crm_events.application import Position
from crm_events.partitions import PARTITIONS
from fastapi import Depends, Header, Query
from fastapi.exceptions import RequestValidationError

MOST_POSITIONS: Final = 64
LONGEST_HEADER: Final = 4_000
_TOKEN: Final = re.compile(r"([a-z][a-z0-9_]{0,30})/(\d{1,4})/(\d{1,18})", re.ASCII)


def parse_position(text: str) -> Position:
    """`pipeline/3/1234` as a command answered it in Crm-Position. Raises ValueError."""
    found = _TOKEN.fullmatch(text.strip())
    if found is None or int(found[2]) >= PARTITIONS:
        raise ValueError("send a position as a command answered it, such as pipeline/3/1234")
    return Position(found[1], int(found[2]), int(found[3]))


async def positions_after(
    after: Annotated[
        list[str] | None,
        Query(max_length=MOST_POSITIONS, description="Wait for this Crm-Position; repeatable."),
    ] = None,
    crm_after: Annotated[
        str | None,
        Header(max_length=LONGEST_HEADER, description="The same, comma-separated, as a header."),
    ] = None,
) -> tuple[Position, ...]:
    """The furthest position to wait for in each partition. As a dependency: `After`."""
    named = [("query", "after", text) for text in after or ()]
    named += [
        ("header", "crm-after", text) for text in (crm_after or "").split(",") if text.strip()
    ]
    return _furthest(_parsed(named))


def _parsed(named: Iterable[tuple[str, str, str]]) -> list[Position]:
    found: list[Position] = []
    errors: list[dict[str, Any]] = []
    for place, name, text in named:
        try:
            found.append(parse_position(text))
        except ValueError as error:
            errors.append({"type": "value_error", "loc": (place, name), "msg": str(error)})
    if errors:
        raise RequestValidationError(errors)
    return found


def _furthest(positions: Iterable[Position]) -> tuple[Position, ...]:
    furthest: dict[tuple[str, int], Position] = {}
    for position in positions:
        lane = (position.context, position.partition)
        if lane not in furthest or furthest[lane].sequence < position.sequence:
            furthest[lane] = position
    return tuple(furthest.values())


After = Annotated[tuple[Position, ...], Depends(positions_after)]
