"""The shapes of long work: what may be asked, and what is told of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from crm_service.schemas import Body
from pydantic import BaseModel, Field, StringConstraints

from crm_projections.api.schemas import Vector

_Text = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class JobBody(Body):
    """What is to be done with which view.

    `rebuild` computes it anew and puts it in place; `verify` computes it anew and compares;
    `replay` folds the log up to `to` (what was recorded by then) or `at` (a position, one for each
    context), all that the view knows without either, and tells rows and digest. `origin` says whose
    copy of the log is folded. What was interrupted goes on where it was, unless `anew`; of names,
    and of a named copy of the log, it begins anew.
    """

    kind: Literal["rebuild", "verify", "replay"]
    view: _Text
    to: _Text | None = None
    at: Annotated[list[_Text], Field(max_length=8)] | None = None
    origin: Literal["log", "kafka", "stores"] = "log"
    anew: bool = False


class JobOut(BaseModel):
    """`events` of about `total` have been read, of them `continued` by an earlier attempt that was
    interrupted; `note` says why what one had begun is not gone on with. `ahead` jobs are before it.
    `joined` says that somebody had asked for the same, which is this; `kept` that what it fills is
    kept for the next attempt when it is interrupted. `result` is there where it is done: a
    generation, a verdict with differences, or rows and digests by table."""

    id: UUID
    kind: str
    view: str
    definition_version: int
    options: dict[str, Any]
    status: Literal["waiting", "running", "done", "failed", "cancelled"]
    asked_by: str
    asked_at: datetime
    begun_at: datetime | None
    ended_at: datetime | None
    ahead: int
    events: int
    total: int | None
    result: Any
    reason: str | None
    continued: int | None
    note: str | None
    joined: bool
    kept: bool


class JobsOut(BaseModel):
    """The newest first."""

    jobs: list[JobOut]


class PlanOut(BaseModel):
    """What a rebuild would do: `events` to read up to `position`, `rows` to write by table, `bytes`
    more while old and new stand side by side, `seconds` at the `rate` (events a second) last seen;
    null where nothing is known."""

    view: str
    position: Vector
    events: int
    rows: dict[str, int]
    bytes: int | None
    rate: float | None
    seconds: float | None
