"""The shapes of answers and bodies, as the API's description shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from crm_service.schemas import Body
from pydantic import BaseModel, Field, StringConstraints

Vector = Annotated[
    dict[str, int], Field(description="Context to the sequence up to which all is taken")
]


class DefinitionOut(BaseModel):
    id: str
    version: int


class AnswerOut(BaseModel):
    """What a view answers. `known` is the cut that was asked for, null for all that is known; the
    same definition, parameters and position give the same figures for ever where `citable`."""

    definition: DefinitionOut
    parameters: dict[str, Any]
    position: Vector
    known: Vector | None
    citable: bool
    not_citable: list[str]
    totals: dict[str, Any]
    rows: list[dict[str, Any]]
    groups: list[dict[str, Any]] | None = None
    distribution: dict[str, int] | None = None
    excluded: dict[str, int]


class ComparedOut(BaseModel):
    """One figure, of the whole or of a group, a row, a score. `difference` is what_if - live, null
    where one of them is absent."""

    figure: str
    group: str | None = None
    row: str | None = None
    live: Any
    what_if: Any
    difference: Any


class WhatIfOut(BaseModel):
    """A view as it is and as it would be under the policy, from one snapshot; nothing is written.
    `differences` has every figure of both side by side."""

    live: AnswerOut
    what_if: AnswerOut
    differences: list[ComparedOut]


class CitationOut(BaseModel):
    """What a report is cited by: asked again with these parameters at this position, it has the
    same bytes. `sha256` is that of `report`; `text` says all of it on one line."""

    view: str
    version: int
    parameters: dict[str, Any]
    position: Vector
    sha256: str
    text: str


class ReportOut(BaseModel):
    """A report with its citation. `report` is JSON with sorted keys and no spaces, ids only."""

    citation: CitationOut
    citable: bool
    not_citable: list[str]
    report: dict[str, Any]


class CausesOut(BaseModel):
    """Events behind numbers; `added` is what each added, money as a decimal string."""

    definition: DefinitionOut
    position: Vector
    as_of: str | None
    known: Vector | None


class WhyOut(CausesOut):
    """One number, and the events that add up to it, the earliest effect first."""

    figure: str
    row: str | None = None
    value: int | str | None
    events: list[dict[str, Any]]
    events_in_all: int


class DiffOut(CausesOut):
    """Every sum before, after, and their difference; under `derived` the same of ratios, means and
    medians, and `inputs` says which sums they are worked out from. Each event is told once, with
    what it added to every figure."""

    before: dict[str, Any]
    figures: list[dict[str, Any]]
    derived: list[dict[str, Any]]
    inputs: dict[str, list[str]]
    events: list[dict[str, Any]] | None = None
    events_in_all: int | None = None


class PageOut(AnswerOut):
    """A page of a list; `next` is the cursor of the next page, null on the last."""

    next: str | None


class ViewOut(BaseModel):
    """One view as it stands. Counts are of events; `stopped` says why it takes nothing more."""

    name: str
    definition: DefinitionOut
    contexts: list[str]
    parameters: list[str]
    generation: int
    position: Vector
    applied: int
    skipped: int
    parked: int
    stopped: str | None


class ViewsOut(BaseModel):
    views: list[ViewOut]


class PositionOut(BaseModel):
    """How far every view is complete, and each of them."""

    position: Vector
    views: dict[str, Vector]


class ParkedOut(BaseModel):
    """An event that was not applied. `behind` ones wait for an earlier one of the same thing."""

    id: int
    view: str
    context: str
    partition: int
    sequence: int | None
    aggregate_id: str | None
    event_id: str | None
    type: str | None
    kind: Literal["failed", "behind", "unreadable"]
    reason: str
    attempts: int
    status: Literal["parked", "applied", "skipped"]
    parked_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    decision: str | None


class ParkedPage(BaseModel):
    """`next` is the cursor of the next page; null on the last."""

    parked: list[ParkedOut]
    next: int | None


class ResolutionOut(BaseModel):
    """What came of it: events of the same thing applied, skipped, and still parked, and why."""

    applied: int
    skipped: int
    parked: int
    reason: str | None


class SkipBody(Body):
    """Why the event may be left out for good; kept with the decision."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
