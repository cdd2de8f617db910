"""The short way to a command: what is as it should be need not pass all that a framework foresees.

FastAPI looks for a route one by one, then walks a tree of dependencies for every request; see
docs/adr/0016. A POST that this module understands is found by the end of its path and
goes straight to its endpoint. Whatever is not as it should be goes the long way, untouched, and is
refused there: so what is wrong with a request is said in one place only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, Final, NamedTuple, TypeVar

import orjson
from anyio.to_thread import run_sync
from crm_events.waiting import on_loop
from fastapi import FastAPI, Request, Response, params
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_typed_return_annotation
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.convertors import StringConvertor
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crm_service.admission import Admission
from crm_service.routing import StrictRoute, holds_nul

F = TypeVar("F", bound=Callable[..., Any])
_ONE: Final = "crm_decides_one"
_JSON: Final = (b"application/json", b"application/json;")
_OTHER_WAYS: Final = (
    "query_params",
    "header_params",
    "cookie_params",
    "websocket_param_name",
    "http_connection_param_name",
    "response_param_name",
    "background_tasks_param_name",
    "security_scopes_param_name",
    "concurrency",
)
"""What an endpoint may ask of FastAPI that is not understood here."""


def decides_one(dependency: F) -> F:
    """Marks what an endpoint asks for that decides one command: little work between its waits."""
    setattr(dependency, _ONE, True)
    return dependency


class Command(NamedTuple):
    """One endpoint: `asked` are coroutines of the request, each with the names it goes by."""

    pattern: re.Pattern[str]
    endpoint: Callable[..., Response]
    in_path: tuple[Any, ...]
    body: Any
    asked: tuple[tuple[str | None, str, Callable[..., Any]], ...]
    is_one: bool


class Direct:
    """Pure ASGI middleware, the innermost: between the door and FastAPI's own routes."""

    def __init__(self, app: ASGIApp, api: FastAPI, without_threads: bool) -> None:
        """`without_threads`, single commands run on the loop's thread until they wait."""
        self._app = app
        self._api = api
        self._without_threads = without_threads
        self._commands: Mapping[str, tuple[Command, ...]] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _plain(scope):
            for command in self._table().get(_end(scope["path"]), ()):
                found = command.pattern.match(scope["path"])
                if found is not None:
                    scope["endpoint"], scope["path_params"] = command.endpoint, found.groupdict()
                    await self._answer(command, scope, receive, send)
                    return
        await self._app(scope, receive, send)

    async def _answer(self, command: Command, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        values = _said_in_path(command, scope["path_params"])
        if command.body is not None and values is not None:
            body = await request.body()
            values = _said_in_body(command.body, scope, body, values)
            receive = _again(body, receive)
        if values is None:
            await self._app(scope, receive, send)
            return
        admission: Admission = self._api.state.admission
        async with admission.place():
            for name, parameter, ask in command.asked:
                told = await ask(**{parameter: request})
                if name is not None:
                    values[name] = told
            run = on_loop if self._without_threads and command.is_one else run_sync
            response = await run(partial(command.endpoint, **values))
        await response(scope, receive, send)

    def _table(self) -> Mapping[str, tuple[Command, ...]]:
        if self._commands is None:
            self._commands = table_of(iter_route_contexts(self._api.routes))
        return self._commands


def table_of(routes: Iterable[RouteContext]) -> Mapping[str, tuple[Command, ...]]:
    """The commands among routes, by the end of their paths, in the order of the routes."""
    table: dict[str, tuple[Command, ...]] = {}
    for route in routes:
        if _is_direct(route):
            end = _end(route.path_format or "")
            table[end] = (*table.get(end, ()), _command(route))
    return table


def _plain(scope: Scope) -> bool:
    """A traced request goes the long way, where its span gets the name of its route."""
    return (
        scope["type"] == "http"
        and scope["method"] == "POST"
        and not scope["query_string"]
        and not scope.get("root_path")
        and scope.get("fastapi.telemetry") is None
    )


def _end(path: str) -> str:
    """The verb of `/deals/{id}:advance`; the last word of a path that has none."""
    return path.rpartition("/")[2].rpartition(":")[2]


def _is_direct(route: RouteContext) -> bool:
    dependant = getattr(route, "dependant", None)
    if dependant is None or not isinstance(route.original_route, StrictRoute):
        return False
    convertors = (route.param_convertors or {}).values()
    return (
        route.methods == {"POST"}
        and all(type(each) is StringConvertor for each in convertors)
        and not (route.path_format or "").endswith("}")
        and _is_understood(dependant)
        and dependant.request_param_name is None
        and _takes_one_body(dependant, getattr(route, "body_field", None))
        and _answers_itself(dependant.call)
        and all(map(_is_asked_of_the_request, dependant.dependencies))
    )


def _is_understood(dependant: Dependant) -> bool:
    return not any(getattr(dependant, name) for name in _OTHER_WAYS)


def _takes_one_body(dependant: Dependant, body_field: Any) -> bool:
    if not dependant.body_params:
        return body_field is None
    return [body_field] == dependant.body_params and type(body_field.field_info) is params.Body


def _answers_itself(endpoint: Any) -> bool:
    answers = get_typed_return_annotation(endpoint)
    whole = isinstance(answers, type) and issubclass(answers, Response)
    return whole and not iscoroutinefunction(endpoint)


def _is_asked_of_the_request(dependency: Dependant) -> bool:
    nothing_more = not (dependency.path_params or dependency.body_params or dependency.dependencies)
    return (
        nothing_more
        and _is_understood(dependency)
        and dependency.request_param_name is not None
        and iscoroutinefunction(dependency.call)
    )


def _command(route: RouteContext) -> Command:
    dependant: Dependant = route.dependant
    return Command(
        pattern=route.path_regex,
        endpoint=dependant.call,  # type: ignore[arg-type]
        in_path=tuple(dependant.path_params),
        body=dependant.body_params[0] if dependant.body_params else None,
        asked=tuple((d.name, d.request_param_name, d.call) for d in dependant.dependencies),  # type: ignore[misc]
        is_one=any(hasattr(d.call, _ONE) for d in dependant.dependencies),
    )


def _said_in_path(command: Command, said: Mapping[str, str]) -> dict[str, Any] | None:
    values: dict[str, Any] = {}
    for field in command.in_path:
        values[field.name], errors = field.validate(said.get(field.alias), loc=("path",))
        if errors:
            return None
    return values


def _said_in_body(
    field: Any, scope: Scope, body: bytes, values: dict[str, Any]
) -> dict[str, Any] | None:
    if not body or not _is_json(scope) or holds_nul(body):
        return None
    try:
        said = orjson.loads(body)
    except ValueError:
        return None
    values[field.name], errors = field.validate(said, loc=("body",))
    return None if errors else values


def _is_json(scope: Scope) -> bool:
    sent = [value for name, value in scope["headers"] if name == b"content-type"]
    return len(sent) == 1 and (sent[0] == _JSON[0] or sent[0].startswith(_JSON[1]))


def _again(body: bytes, receive: Receive) -> Receive:
    """What has been read is there to be read once more."""
    read: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return read.pop() if read else await receive()

    return again
