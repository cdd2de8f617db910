"""Long work over HTTP: ask for it, look how far it is, have it end; no request is held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from crm_service.exchange import Caller
from crm_service.problems import RequestRefused
from crm_service.routing import Router
from fastapi import Query
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError

from crm_projections.api.answering import standing
from crm_projections.api.asking import position_of
from crm_projections.api.job_schemas import JobBody, JobOut, JobsOut, PlanOut
from crm_projections.engine.database import Database
from crm_projections.engine.instants import instant
from crm_projections.engine.marks import known_at
from crm_projections.engine.parameters import End
from crm_projections.engine.view import Projector
from crm_projections.jobs.job import Asked, Job
from crm_projections.jobs.planning import plan
from crm_projections.jobs.queue import Queue

_END: Final[TypeAdapter[int]] = TypeAdapter(End)
Limit = Annotated[int, Query(ge=1, le=200)]


@dataclass(frozen=True, slots=True)
class Jobs:
    """What the routes of jobs need."""

    database: Database
    views: Mapping[str, Projector[Any]]
    queue: Queue
    zone: ZoneInfo

    def view(self, name: str) -> Projector[Any]:
        """Raises RequestRefused (404)."""
        if name not in self.views:
            known = ", ".join(self.views)
            raise RequestRefused("not-found", f"There is no view {name!r}; there are: {known}.")
        return self.views[name]

    def options(self, body: JobBody, view: Projector[Any]) -> dict[str, Any]:
        """What the work is told besides the view; a time becomes a position here, once."""
        _refuse_given(body)
        anew = {"anew": True} if body.anew else {}
        if body.kind != "replay":
            return anew
        with self.database.reading() as connection:
            end = standing(connection, view).position
            to = self._to(body, view, connection) or dict(end)
        for context, sequence in to.items():
            if sequence > end[context]:
                raise RequestRefused("position-ahead", _ahead(context, sequence, end[context]))
        return {"to": to, "origin": body.origin, **anew}

    def out(self, job: Job) -> JobOut:
        view, origin = self.views.get(job.asked.view), job.asked.options.get("origin", "log")
        kept = view is not None and not view.definition.personal and origin == "log"
        return _out(job, kept=kept)

    def _to(self, body: JobBody, view: Projector[Any], connection: Any) -> dict[str, int] | None:
        if body.to is not None and body.at is not None:
            raise _wrong("at", "name either a time (to) or a position (at), not both")
        if body.to is not None:
            return dict(known_at(connection, view.contexts, self._moment(body.to)).sequences)
        at = position_of(body.at, view.contexts, place="body")
        return None if at is None else dict(at)

    def _moment(self, text: str) -> int:
        try:
            return _END.validate_python(text, context={"zone": self.zone})
        except ValidationError as error:
            raise _wrong("to", error.errors()[0]["msg"].removeprefix("Value error, ")) from None


def _refuse_given(body: JobBody) -> None:
    for name in ("to", "at"):
        if body.kind != "replay" and getattr(body, name) is not None:
            raise _wrong(name, f"only a replay takes it, not a {body.kind}")


def _ahead(context: str, sequence: int, end: int) -> str:
    return f"{context}/*/{sequence} is past the end: the view has come to {context}/*/{end}."


def _wrong(field: str, reason: str) -> RequestValidationError:
    return RequestValidationError([{"type": "value_error", "loc": ("body", field), "msg": reason}])


def jobs_router(jobs: Jobs) -> Router:
    """`/v1/views/jobs` and below, and `/v1/views/jobs/<view>:plan`."""
    router = Router(prefix="/v1/views", tags=["jobs"])
    queue = jobs.queue

    @router.post("/jobs", status_code=201)
    def ask_job(body: JobBody, caller: Caller) -> JobOut:
        view = jobs.view(body.view)
        definition = view.definition
        options = jobs.options(body, view)
        asked = Asked(body.kind, definition.id, definition.version, options, caller.id)
        return jobs.out(queue.ask(asked))

    @router.get("/jobs")
    def list_jobs(limit: Limit = 50) -> JobsOut:
        return JobsOut(jobs=[jobs.out(job) for job in queue.latest(limit)])

    @router.get("/jobs/{view}:plan")
    def plan_job(view: str) -> PlanOut:
        found = plan(jobs.database, jobs.view(view), queue)
        return PlanOut(
            view=found.view,
            position=dict(found.position),
            events=found.events,
            rows=dict(found.rows),
            bytes=found.bytes,
            rate=found.rate,
            seconds=found.seconds,
        )

    @router.get("/jobs/{id}")
    def read_job(id: UUID) -> JobOut:
        return jobs.out(queue.find(id))

    @router.post("/jobs/{id}:cancel")
    def cancel_job(id: UUID) -> JobOut:
        return jobs.out(queue.cancel(id))

    return router


def _out(job: Job, *, kept: bool) -> JobOut:
    times = {name: getattr(job, name) for name in ("begun_at", "ended_at")}
    return JobOut(
        id=job.id,
        kind=job.asked.kind,
        view=job.asked.view,
        definition_version=job.asked.definition_version,
        options=dict(job.asked.options),
        status=job.status,
        asked_by=job.asked.by,
        asked_at=instant(job.asked_at),
        ahead=job.ahead,
        events=job.events,
        total=job.total,
        result=job.result,
        reason=job.reason,
        continued=job.continued,
        note=job.note,
        joined=job.joined,
        kept=kept,
        **{name: None if at is None else instant(at) for name, at in times.items()},
    )
