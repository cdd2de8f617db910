"""The rows of a funnel: the stages of one pipeline in the version in force at the cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, Select, Table, select

from crm_projections.engine.view import Cut
from crm_projections.facts.cut import known_upto
from crm_projections.views.funnel.facts import FunnelTables
from crm_projections.views.funnel.standing import LEADS


@dataclass(frozen=True, slots=True)
class StageRow:
    """One open stage: its rank counts from 1."""

    key: str
    name: str
    rank: int
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Stages:
    """A pipeline's stages in order, and the names of its terminals."""

    pipeline: str
    rows: tuple[StageRow, ...]
    won_name: str
    lost_name: str

    def rank_of(self, key: str, rank: int) -> int:
        """The rank in this version; a stage it no longer has keeps the rank of its event."""
        return next((row.rank for row in self.rows if row.key == key), rank)

    def stage(self, key: str | None) -> StageRow:
        """The stage of this key; without one, the first. Raises UnknownStage."""
        found = next((row for row in self.rows if key in (None, row.key)), None)
        if found is None:
            known = ", ".join(row.key for row in self.rows)
            raise UnknownStage(f"{self.pipeline} has no stage {key!r}; it has: {known}.")
        return found


_LEADS = Stages(
    LEADS,
    (StageRow("captured", "captured", 1), StageRow("qualified", "qualified", 2)),
    "converted",
    "disqualified",
)


class UnknownStage(Exception):
    """The pipeline has no stage with this key."""


class UnknownPipeline(Exception):
    """No pipeline with this key was defined by then."""


class Defined(NamedTuple):
    """One version of a pipeline, as its row has it."""

    sequence: int
    effective: int
    pipeline: str
    stages: str
    won_name: str
    lost_name: str


def stages_at(connection: Connection, tables: FunnelTables, cut: Cut, key: str | None) -> Stages:
    """A pipeline's stages; without a key, of the one defined first. Raises UnknownPipeline."""
    if key == LEADS:
        return _LEADS
    return stages_of(every_version(connection, tables.pipelines), cut, key)


def every_version(connection: Connection, table: Table) -> tuple[Defined, ...]:
    """All that was ever defined, in order."""
    return tuple(map(Defined._make, connection.execute(_defined_by(table))))


def stages_of(versions: Sequence[Defined], cut: Cut, key: str | None) -> Stages:
    """As `stages_at`, among all versions there are."""
    if key == LEADS:
        return _LEADS
    upto = known_upto(cut, "pipeline")
    known = [row for row in versions if row.effective <= cut.as_of and row.sequence <= upto]
    wanted = key or (known[0].pipeline if known else LEADS)
    found = [row for row in known if row.pipeline == wanted]
    if found:
        return _read(found[-1])
    if key is None:
        return _LEADS
    keys = sorted({row.pipeline for row in known} | {LEADS})
    raise UnknownPipeline(f"There is no pipeline {key!r}; there are: {', '.join(keys)}.")


@lru_cache(maxsize=64)
def _defined_by(table: Table) -> Select[Any]:
    """Made once for each generation's table: to put it together takes longer than to ask it."""
    return select(*(table.c[name] for name in Defined._fields)).order_by(table.c.sequence)


@lru_cache(maxsize=64)
def _read(row: Defined) -> Stages:
    stages = orjson.loads(row.stages)
    rows = tuple(StageRow(s["key"], s["name"], s["rank"], s.get("note")) for s in stages)
    return Stages(row.pipeline, rows, row.won_name, row.lost_name)
