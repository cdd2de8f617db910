"""Puts a service together: its routes inside the door, the limits and the answers all share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Final

from anyio.to_thread import current_default_thread_limiter
from crm_events.clock import utc_now
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Lifespan

from crm_service.admission import Admission
from crm_service.answering import Answering, Translation
from crm_service.direct import Direct
from crm_service.direct_questions import DirectQuestions
from crm_service.guard import Guard
from crm_service.health import Check, Readiness, probe_routes
from crm_service.metrics import HttpMetrics, new_registry
from crm_service.observed import Clock, Observed
from crm_service.openapi import describe, operation_id, refuse_same_names
from crm_service.principals import Principals
from crm_service.problem_pages import problem_routes
from crm_service.problems import COMMON, Registry
from crm_service.route_table import RouteTable
from crm_service.routing import MIB, BodyLimit, Router, StrictRoute, reading_paths

_TELEMETRY: Final[TelemetryConfig] = {"logs": False, "operation_spans": False}
"""Spans of requests, no more: FastAPI's log records quote what people typed."""


@dataclass(frozen=True, slots=True)
class Edge:
    """What differs from one process to another. `threads` is the size of the connection pool: no
    more requests than that are at work at once. `body_limit` is in bytes. `without_threads`, single
    commands run on the event loop: for stores that say where they wait (docs/adr/0024)."""

    threads: int = 8
    without_threads: bool = False
    body_limit: int = MIB
    allowed_hosts: Collection[str] = ()
    metrics: CollectorRegistry | None = None
    lifespan: Lifespan[FastAPI] | None = None
    clock: Clock = utc_now


def create_app(
    title: str,
    context: str,
    routers: Sequence[Router],
    *,
    principals: Principals,
    readiness: Mapping[str, Check],
    errors: Registry = COMMON,
    translations: Mapping[type[Exception], Translation] | None = None,
    edge: Edge = Edge(),
) -> FastAPI:
    """A service ready to be served. Raises ValueError where two routes have one name.

    `context` stands in every log line. `errors` holds COMMON and the service's own slugs;
    `translations` says what errors that are no DomainError leave as.
    """
    metrics = HttpMetrics(edge.metrics or new_registry())
    app = _bare(title, edge)
    app.user_middleware = [
        Middleware(
            Observed,
            answering=Answering(errors, translations, metrics.refused),
            metrics=metrics,
            routes=app.state.routes,
            context=context,
            clock=edge.clock,
        ),
        Middleware(Guard, principals, edge.allowed_hosts, reading_paths(routers)),
        Middleware(BodyLimit, edge.body_limit),
        Middleware(Direct, app, edge.without_threads),
        Middleware(DirectQuestions, app),
    ]
    app.router.routes += probe_routes(Readiness(readiness), metrics.registry)
    app.router.routes += [*problem_routes(errors), _openapi_route(app, errors)]
    for router in routers:
        app.include_router(router)
    refuse_same_names(app.state.routes)
    return app


def _bare(title: str, edge: Edge) -> FastAPI:
    app = FastAPI(
        title=title,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
        exception_handlers={HTTPException: _pass_on, RequestValidationError: _pass_on},
        lifespan=_living(edge),
        telemetry=_TELEMETRY,
    )
    app.router.route_class = StrictRoute
    app.state.routes = RouteTable(app)
    app.state.admission = Admission(edge.threads)
    return app


async def _pass_on(_: Request, error: Exception) -> Response:
    """Every error is answered in one place, outside the router."""
    raise error


def _living(edge: Edge) -> Lifespan[FastAPI]:
    @asynccontextmanager
    async def living(app: FastAPI) -> AsyncIterator[Any]:
        current_default_thread_limiter().total_tokens = edge.threads
        inner = edge.lifespan(app) if edge.lifespan is not None else nullcontext()
        async with inner as state:
            yield state

    return living


def _openapi_route(app: FastAPI, errors: Registry) -> BaseRoute:
    def document(_: Request) -> Response:
        if app.openapi_schema is None:
            app.openapi_schema = describe(app, errors)
        return JSONResponse(app.openapi_schema)

    return Route("/openapi.json", document)
