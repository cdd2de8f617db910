"""What every request leaves behind: a correlation id, one log line, its time, and an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, bound_contextvars

from crm_service.answering import RETRY_AFTER_SECONDS, Answering
from crm_service.exchange import Exchange, begin
from crm_service.guard import OPEN_PATHS
from crm_service.metrics import HttpMetrics
from crm_service.problems import RequestRefused
from crm_service.route_table import RouteTable

Clock = Callable[[], datetime]
GONE: Final = 499
"""Logged for a client that left before it was answered."""
log = structlog.get_logger(__name__)
_ENDING: Final = RequestRefused(
    "unavailable",
    "The service ended before it knew the outcome; repeat with the same Idempotency-Key.",
    headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
)
"""A drain that ran out of time leaves the third outcome: unknown."""


@dataclass(slots=True)
class _Answer:
    """What is known of the answer while it is being sent."""

    exchange: Exchange
    send: Send
    status: int = GONE
    started: bool = False
    began: float = field(default_factory=perf_counter)

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Correlation-Id"] = str(self.exchange.correlation_id)
            headers.setdefault("Cache-Control", "no-store")
            headers.setdefault("X-Content-Type-Options", "nosniff")
        await self.send(message)


class Observed:
    """Pure ASGI middleware around everything else; no error passes it unanswered."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        answering: Answering,
        metrics: HttpMetrics,
        routes: RouteTable,
        context: str,
        clock: Clock,
    ) -> None:
        self._app = app
        self._answering = answering
        self._metrics = metrics
        self._routes = routes
        self._context = context
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = begin(scope, self._clock())
        answer = _Answer(exchange, send)
        with bound_contextvars(context=self._context, correlation_id=None, principal=None):
            self._metrics.in_flight.inc()
            try:
                await self._answered(scope, receive, answer)
            finally:
                self._metrics.in_flight.dec()
                self._leave_behind(scope, answer)

    async def _answered(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        try:
            answer.exchange.read(Headers(scope=scope))
            bind_contextvars(correlation_id=str(answer.exchange.correlation_id))
            await self._app(scope, receive, answer)
        except ClientDisconnect:
            return
        except asyncio.CancelledError:
            if not answer.started:
                await self._refuse(_ENDING, scope, receive, answer)
            raise
        except Exception as error:
            if not self._answering.expects(error):
                log.exception("request_failed", route=self._routes.template(scope))
            if answer.started:
                raise
            await self._refuse(error, scope, receive, answer)

    async def _refuse(
        self, error: Exception, scope: Scope, receive: Receive, answer: _Answer
    ) -> None:
        response = self._answering.response(error, answer.exchange.correlation_id)
        await response(scope, receive, answer)

    def _leave_behind(self, scope: Scope, answer: _Answer) -> None:
        seconds = perf_counter() - answer.began
        route = self._routes.template(scope)
        self._metrics.answered(scope["method"], route, answer.status, seconds)
        if scope["path"] not in OPEN_PATHS:
            log.info(
                "request",
                method=scope["method"],
                route=route,
                status=answer.status,
                duration_ms=round(seconds * 1000, 2),
            )
