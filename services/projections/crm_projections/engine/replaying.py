"""The log folded again up to a position, into tables that nobody else sees."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from crm_events.feed.store import lanes_of

from crm_projections.engine.bounded import lane_bounds
from crm_projections.engine.compare import TableSum, digest_of_tables, table_sums
from crm_projections.engine.filling import LogEnds, Source, filling, going_on
from crm_projections.engine.position import complete_to

T = TypeVar("T")


class PastTheEnd(Exception):
    """The log does not go as far as it was to be folded."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of it. The digest is the same from any copy of the log, on any database."""

    position: Mapping[str, int]
    events: int
    parked: int
    tables: Sequence[TableSum]
    digest: str


async def replay(source: Source[T], to: Mapping[str, int], patience: float = 30.0) -> Replayed:
    """Fold the log up to and with sequence `to` of each context into scratch tables, and drop them.

    One that was interrupted goes on where it was, unless it had gone further. Raises RebuildFailed,
    and PastTheEnd where nothing comes for `patience` seconds.
    """
    return await going_on(source, partial(_replayed, to, patience))


async def _replayed(to: Mapping[str, int], patience: float, source: Source[T]) -> Replayed:
    lanes = lanes_of(source.view.contexts)
    async with filling(source, "scratch", lane_bounds(to)) as found:

        def reached() -> bool:
            complete = complete_to(found.states, lanes)
            return all(complete[context] >= sequence for context, sequence in to.items())

        try:
            await found.until(reached, patience)
        except LogEnds as ends:
            raise PastTheEnd(f"The log does not come to the position asked for ({ends}).") from None
        with source.work.database.reading() as connection:
            sums = await asyncio.to_thread(table_sums, connection, found.opened)
        states = found.states.values()
    return Replayed(
        dict(to),
        sum(state.seen for state in states),
        sum(state.parked for state in states),
        sums,
        digest_of_tables(sums),
    )
