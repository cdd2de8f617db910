"""The pipeline that a file's deals are in, and what its stages are called there.

No file tells the order of its stages, so the request has to: `stages` first to last, and what is
`won` and `lost`. The pipeline is defined from that when there is none of that key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Final, Literal, NamedTuple
from uuid import uuid5

from crm_events.contracts.pipeline import Stage
from crm_events.event import Key
from crm_events.names import folded
from crm_events.store.mapper import Cause
from crm_events.store.port import VersionConflict
from crm_service.importing.options import Options, OptionsRefused
from crm_service.importing.protocol import RowRefused
from crm_service.settings import TimeZone
from pydantic import BeforeValidator

from crm_pipeline.application import PipelineApplication
from crm_pipeline.domain.pipeline import Pipeline, StageDraft, Terminals

Outcome = Literal["open", "won", "lost"]
EXAMPLE: Final = '--stages "Prospecting,Engaging" --won Won --lost Lost'


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Names = Annotated[tuple[Key, ...], BeforeValidator(_listed)]


class DealOptions(Options):
    """Which pipeline, and its stages as the file calls them."""

    pipeline: Key = "sales"
    stages: Names = ()
    timezone: TimeZone | None = None
    won: Names = ("Won",)
    lost: Names = ("Lost",)


class State(NamedTuple):
    """Where a row says the deal is; `stage` is the open one, or the last before the terminals."""

    outcome: Outcome
    stage: Stage


class FileStages:
    """A pipeline read by the names of a file, ignoring case, width and spaces."""

    def __init__(self, pipeline: Pipeline, options: DealOptions) -> None:
        self.pipeline = pipeline
        ends = pipeline.terminals
        self._states: dict[str, State] = {}
        for stage in pipeline.stages:
            self._states[folded(stage.key)] = State("open", stage)
            self._states[folded(stage.name)] = State("open", stage)
        for name in (ends.won, *options.won):
            self._states[folded(name)] = State("won", pipeline.last)
        for name in (ends.lost, *options.lost):
            self._states[folded(name)] = State("lost", pipeline.last)

    def state(self, name: str | None) -> State:
        """Raises RowRefused where the row names no stage, or one that the pipeline has not."""
        if name is None:
            raise RowRefused("stage", f"say where the deal stands; see {EXAMPLE}")
        found = self._states.get(folded(name))
        if found is None:
            ends = self.pipeline.terminals
            known = ", ".join([*(s.name for s in self.pipeline.stages), ends.won, ends.lost])
            raise RowRefused("stage", f"{name!r} is none of the stages {known}; see {EXAMPLE}")
        return found


def file_stages(
    app: PipelineApplication, options: DealOptions, cause: Cause, *, dry_run: bool
) -> FileStages:
    """The pipeline the options name, defined now when it is absent. Raises OptionsRefused."""
    pipeline = app.find(Pipeline, app.pipeline_id(options.pipeline))
    if not pipeline.begun:
        pipeline = _defined(app, pipeline, options, cause, dry_run=dry_run)
    _refuse_differences(pipeline, options)
    return FileStages(pipeline, options)


def _defined(
    app: PipelineApplication,
    pipeline: Pipeline,
    options: DealOptions,
    cause: Cause,
    *,
    dry_run: bool,
) -> Pipeline:
    if not options.stages:
        raise OptionsRefused(
            f"There is no pipeline {options.pipeline!r} and the order of stages cannot be read "
            f"from a file; name them, such as {EXAMPLE}."
        )
    key, ends = options.pipeline, Terminals(options.won[0], options.lost[0])
    pipeline.define(key, key, _drafts(options.stages), ends, at=cause.at)
    if dry_run:
        return pipeline
    try:
        app.save_all([pipeline], replace(cause, command_id=uuid5(pipeline.id, "import")))
    except VersionConflict:
        return app.pipeline(key)
    return pipeline


def _drafts(names: Sequence[str]) -> list[StageDraft]:
    """No file tells probabilities: they rise evenly until somebody who knows changes them."""
    steps = len(names) + 1
    return [
        StageDraft(name, name, probability=round(step / steps, 4))
        for step, name in enumerate(names, start=1)
    ]


def _refuse_differences(pipeline: Pipeline, options: DealOptions) -> None:
    if not options.stages:
        return
    ours = [folded(stage.name) for stage in pipeline.stages]
    keys = [folded(stage.key) for stage in pipeline.stages]
    theirs = [folded(name) for name in options.stages]
    if theirs in (ours, keys):
        return
    there = ",".join(stage.name for stage in pipeline.stages)
    raise OptionsRefused(
        f'The pipeline {pipeline.key!r} has other stages; say --stages "{there}" '
        f'--won "{pipeline.terminals.won}" --lost "{pipeline.terminals.lost}", or name another '
        "pipeline, or change its stages first."
    )
