"""Routes as this CRM wants them: strict JSON in, bounded bodies, bounded work, known parameters."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, Final, TypeVar

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crm_service.admission import Admission
from crm_service.problems import RequestRefused
from crm_service.route_table import RouteTable
from crm_service.schemas import Answer

Endpoint = Callable[..., Response]
F = TypeVar("F", bound=Callable[..., Any])
MIB: Final = 1024 * 1024
_LIMIT: Final = "crm_body_limit"
_READS: Final = "crm_reads_only"
_WHATEVER: Final = "crm_whatever_is_asked"
_ESCAPED_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_JSON: Final = re.compile(r"application/(?:[\w.+-]+\+)?json\s*(?:;|$)", re.IGNORECASE)


def body_limit(size: int) -> Callable[[F], F]:
    """Let one route take a larger body (in bytes) than the service's limit; put it below the
    route's own decorator."""

    def mark(endpoint: F) -> F:
        setattr(endpoint, _LIMIT, size)
        return endpoint

    return mark


def reads_only(endpoint: F) -> F:
    """A POST that writes nothing asks for the right `read`: its question does not fit an address.
    Put it below the route's own decorator."""
    setattr(endpoint, _READS, True)
    return endpoint


def whatever_is_asked(endpoint: F) -> F:
    """A route that only refuses says why whatever the parameters are. Put it below the route's own
    decorator."""
    setattr(endpoint, _WHATEVER, True)
    return endpoint


def reading_paths(routers: Iterable[APIRouter]) -> list[re.Pattern[str]]:
    """Where a POST writes nothing."""
    routes = [route for router in routers for route in router.routes]
    return [
        route.path_regex
        for route in routes
        if isinstance(route, APIRoute) and getattr(route.endpoint, _READS, False)
    ]


class BodyLimit:
    """Pure ASGI middleware: no route gets more bytes than its limit, declared or streamed."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        taken = 0

        async def bounded() -> Message:
            nonlocal taken
            limit: int = getattr(scope.get("endpoint"), _LIMIT, self._limit)
            if not taken and _declared_length(scope) > limit:
                raise _too_large(limit)
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                raise _too_large(limit)
            return message

        await self._app(scope, bounded if scope["type"] == "http" else receive, send)


class StrictRequest(Request):
    """JSON as RFC 8259 has it: no NaN, no half surrogate pairs, and nothing a store refuses."""

    async def json(self) -> Any:
        body = await self.body()
        if holds_nul(body):
            raise RequestRefused("malformed-json", "The body contains U+0000; remove it.")
        return orjson.loads(body)


def holds_nul(body: bytes) -> bool:
    """Whether a text in this JSON has the one character that no store takes."""
    return b"\\u0000" in body and _ESCAPED_NUL.search(body) is not None


class StrictRoute(APIRoute):
    """Reads the body before it takes a place to work in, so that a slow sender blocks nobody."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        work = super().get_route_handler()
        takes_json = self.body_field is not None

        async def handle(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            if takes_json and await strict.body():
                _refuse_other_types(request)
            _refuse_unknown_parameters(request)
            admission: Admission = request.app.state.admission
            async with admission.place():
                return await work(strict)

        return handle


class Router(APIRouter):
    """An APIRouter of strict routes; a service's routers are all of this class."""

    def __init__(self, **options: Any) -> None:
        super().__init__(route_class=StrictRoute, **options)


def command_table(
    router: Router,
    table: Mapping[str, Endpoint],
    answers: Mapping[Endpoint, type[Answer]],
) -> Router:
    """The router with a POST for each path. A path without a verb makes something (201).

    `answers` are the endpoints that answer more than an `Answer`.
    """
    for path, endpoint in table.items():
        router.add_api_route(
            path,
            endpoint,
            methods=["POST"],
            status_code=200 if ":" in path else 201,
            response_model=answers.get(endpoint, Answer),
        )
    return router


def _refuse_other_types(request: Request) -> None:
    if not _JSON.match(request.headers.get("content-type", "")):
        raise RequestRefused("unsupported-media-type", "This path takes application/json.")


def _refuse_unknown_parameters(request: Request) -> None:
    endpoint = request.scope["endpoint"]
    if not request.scope["query_string"] or getattr(endpoint, _WHATEVER, False):
        return
    table: RouteTable = request.app.state.routes
    known = table.query_names(endpoint)
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        raise RequestValidationError(
            [{"type": "extra_forbidden", "loc": ("query", n), "msg": "unknown"} for n in unknown]
        )


def _declared_length(scope: Scope) -> int:
    declared = dict(scope["headers"]).get(b"content-length", b"0")
    return int(declared) if declared.isdigit() else 0


def _too_large(limit: int) -> RequestRefused:
    detail = f"The body may have at most {limit} bytes here."
    return RequestRefused(
        "too-large", detail, extra={"limit": limit}, headers={"Connection": "close"}
    )
