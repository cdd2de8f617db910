"""A pipeline: the stages deals go through, in versions, between opening and its two terminals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from crm_events.contracts.pipeline import PipelineDefined, PipelineStagesChanged, Stage
from crm_events.domain import Aggregate, DomainError, applies


class PipelineExists(DomainError):
    slug: ClassVar[str] = "pipeline-exists"

    def __init__(self, key: str) -> None:
        super().__init__(f"There is a pipeline {key!r} already; change its stages instead.")


class PipelineUnknown(DomainError):
    slug: ClassVar[str] = "pipeline-unknown"

    def __init__(self, key: str) -> None:
        super().__init__(f"There is no pipeline {key!r}; define it first.")


class StagesRefused(DomainError):
    """The stages cannot be told apart, or there are none."""

    slug: ClassVar[str] = "stages-refused"


class StageUnknown(DomainError):
    slug: ClassVar[str] = "stage-unknown"

    def __init__(self, key: str, stages: Sequence[Stage]) -> None:
        known = ", ".join(stage.key for stage in stages)
        super().__init__(f"There is no stage {key!r} in this pipeline now; it has: {known}.")


@dataclass(frozen=True, slots=True)
class StageDraft:
    """A stage before it has a rank. `probability` is 0 to 1."""

    key: str
    name: str
    probability: float
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Terminals:
    """How a pipeline calls its two ends."""

    won: str = "Won"
    lost: str = "Lost"


def ranked(drafts: Sequence[StageDraft], terminals: Terminals) -> tuple[Stage, ...]:
    """The stages with ranks 1..n in the order given. Raises StagesRefused."""
    if not drafts:
        raise StagesRefused("A pipeline needs at least one stage; name its stages in order.")
    names = [draft.name for draft in drafts] + [terminals.won, terminals.lost]
    for what, values in (("key", [draft.key for draft in drafts]), ("name", names)):
        twice = [value for value, times in Counter(values).items() if times > 1]
        if twice:
            raise StagesRefused(f"The {what} {twice[0]!r} occurs twice; each must occur once.")
    return tuple(
        Stage(key=d.key, name=d.name, rank=rank, probability=d.probability, note=d.note)
        for rank, d in enumerate(drafts, start=1)
    )


class Pipeline(Aggregate):
    """One pipeline; its id is made of its key, so a key is taken once."""

    def __init__(self, id: UUID) -> None:
        super().__init__(id)
        self.key = ""
        self.name = ""
        self.pipeline_version = 0
        self.stages: tuple[Stage, ...] = ()
        self.terminals = Terminals()

    def define(
        self,
        key: str,
        name: str,
        drafts: Sequence[StageDraft],
        terminals: Terminals,
        *,
        at: datetime,
    ) -> None:
        """Raises PipelineExists and StagesRefused."""
        if self.begun:
            raise PipelineExists(self.key)
        stages = ranked(drafts, terminals)
        self.record(
            PipelineDefined(
                key=key, name=name, stages=stages, won_name=terminals.won, lost_name=terminals.lost
            ),
            at=at,
        )

    def change_stages(
        self, drafts: Sequence[StageDraft], terminals: Terminals, *, at: datetime
    ) -> None:
        """Another version of the stages; nothing happens when they are the same."""
        stages = ranked(drafts, terminals)
        if (stages, terminals) == (self.stages, self.terminals):
            return
        self.record(
            PipelineStagesChanged(
                pipeline_version=self.pipeline_version + 1,
                stages=stages,
                won_name=terminals.won,
                lost_name=terminals.lost,
            ),
            at=at,
        )

    def stage(self, key: str) -> Stage:
        """The stage as of the current version. Raises StageUnknown."""
        found = self.find(key)
        if found is None:
            raise StageUnknown(key, self.stages)
        return found

    def find(self, key: str) -> Stage | None:
        """The stage as of the current version, or None where it has none of that key."""
        return next((stage for stage in self.stages if stage.key == key), None)

    @property
    def first(self) -> Stage:
        """Where a deal begins unless somebody says otherwise."""
        return self.stages[0]

    @property
    def last(self) -> Stage:
        """The stage right before the terminals."""
        return self.stages[-1]

    @applies(PipelineDefined)
    def _defined(self, event: PipelineDefined) -> None:
        self.key, self.name, self.pipeline_version = event.key, event.name, 1
        self._staged(event.stages, Terminals(event.won_name, event.lost_name))

    @applies(PipelineStagesChanged)
    def _stages_changed(self, event: PipelineStagesChanged) -> None:
        self.pipeline_version = event.pipeline_version
        self._staged(event.stages, Terminals(event.won_name, event.lost_name))

    def _staged(self, stages: tuple[Stage, ...], terminals: Terminals) -> None:
        self.stages, self.terminals = stages, terminals
