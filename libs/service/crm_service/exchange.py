"""What is known of one request beside its content: when it came, from whom, and its trace."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from crm_events.ids import new_id
from fastapi import Depends, Request
from opentelemetry import trace
from starlette.datastructures import Headers
from starlette.types import Scope

from crm_service.principals import Principal, demand
from crm_service.problems import RequestRefused
from crm_service.tokens import Right

_KEY: Final = "crm.exchange"
_TRACEPARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)


@dataclass(slots=True)
class Exchange:
    """One request and its answer. `principal` is set before any route runs."""

    correlation_id: UUID
    received_at: datetime
    traceparent: str | None = None
    principal: Principal | None = None

    def read(self, headers: Headers) -> None:
        """Take what the caller's headers say. Raises RequestRefused (400)."""
        sent = headers.get("traceparent", "")
        self.traceparent = sent if _TRACEPARENT.fullmatch(sent) else None
        if "x-correlation-id" in headers:
            self.correlation_id = _uuid(headers["x-correlation-id"])


def begin(scope: Scope, received_at: datetime) -> Exchange:
    """Open the exchange of a request, under a fresh correlation id until its headers are read."""
    exchange = Exchange(new_id(), received_at)
    scope[_KEY] = exchange
    return exchange


def exchange_of(scope: Scope) -> Exchange:
    """The exchange of a request that came through the service's own middleware."""
    found: Exchange = scope[_KEY]
    return found


def traceparent_of(exchange: Exchange) -> str | None:
    """The current span, where spans are recorded, else the one the caller sent."""
    span = trace.get_current_span().get_span_context()
    if not span.is_valid:
        return exchange.traceparent
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"


async def principal(request: Request) -> Principal:
    """The principal of the request; there is always one. As a dependency: `Caller`."""
    found = exchange_of(request.scope).principal
    if found is None:
        raise RequestRefused("missing-principal", "This path is open and knows nobody.")
    return found


Caller = Annotated[Principal, Depends(principal)]


class Needs:
    """A dependency that lets a request through only with a right: `Depends(Needs("admin"))`."""

    def __init__(self, right: Right) -> None:
        self._right = right

    async def __call__(self, caller: Caller) -> None:
        demand(caller, self._right)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise RequestRefused("malformed-request", "X-Correlation-Id must be a UUID.") from None
