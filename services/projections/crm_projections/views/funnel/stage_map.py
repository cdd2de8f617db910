"""Another set of stages for a pipeline, and which of the old ones each of them takes in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Annotated, Self

from crm_events.event import Key, Text
from pydantic import Field, model_validator

from crm_projections.engine.supposing import Policy, PolicyRefused
from crm_projections.views.funnel.stages import StageRow, Stages

_MOST: int = 100
_Stages = Annotated[tuple["NewStage", ...], Field(min_length=1, max_length=_MOST)]


class NewStage(Policy):
    """One stage. `from` are the old stages that become it, its own key where none is named."""

    key: Key
    name: Text
    rank: int = Field(ge=1, le=_MOST)
    probability: float | None = Field(None, ge=0, le=1, description="Of no figure of the funnel")
    note: Text | None = None
    origins: Annotated[tuple[Key, ...] | None, Field(alias="from", max_length=1_000)] = None

    @property
    def olds(self) -> tuple[str, ...]:
        return (self.key,) if self.origins is None else self.origins


class StageMap(Policy):
    """Every old stage becomes exactly one of these; ranks count from 1."""

    stages: _Stages

    @model_validator(mode="after")
    def _fit(self) -> Self:
        _once("rank", (stage.rank for stage in self.stages))
        _once("key", (stage.key for stage in self.stages))
        _once("name", (stage.name for stage in self.stages))
        _once("old stage", (old for stage in self.stages for old in stage.olds))
        if max(stage.rank for stage in self.stages) > len(self.stages):
            raise ValueError(f"ranks count from 1 to {len(self.stages)}, without a gap")
        return self

    @property
    def new_keys(self) -> Mapping[str, str]:
        """Old key -> new key."""
        return {old: stage.key for stage in self.stages for old in stage.olds}

    @property
    def ranks(self) -> Mapping[str, int]:
        """New key -> rank."""
        return {stage.key: stage.rank for stage in self.stages}

    def fitted(self, known: Stages, used: Iterable[str]) -> Stages:
        """A pipeline's stages under this map. Raises PolicyRefused for an old stage that the
        pipeline does not have, and for one that the map does not name."""
        olds = {stage.key: None for stage in known.rows} | dict.fromkeys(sorted(used))
        strange = [old for old in self.new_keys if old not in olds]
        if strange:
            has = f"{known.pipeline} has no stage {', '.join(strange)}; it has: {', '.join(olds)}."
            raise PolicyRefused(has)
        if missing := [old for old in olds if old not in self.new_keys]:
            detail = f"The map does not say what becomes of {', '.join(missing)}."
            raise PolicyRefused(f"{detail} Name each old stage in `from` of a new one.")
        rows = sorted(self.stages, key=lambda stage: stage.rank)
        return Stages(
            known.pipeline,
            tuple(StageRow(row.key, row.name, row.rank, row.note) for row in rows),
            known.won_name,
            known.lost_name,
        )


def _once(what: str, values: Iterable[object]) -> None:
    twice = [str(value) for value, times in Counter(values).items() if times > 1]
    if twice:
        raise ValueError(f"{what} {', '.join(twice)} stands twice; name each once")
