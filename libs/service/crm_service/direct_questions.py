"""The short way to an answer: a GET that says no more than its endpoint can read at once.

As `direct.py` does for commands (docs/adr/0016): FastAPI declares the route and describes its
parameters, and whatever is not as it should be goes its way, untouched, and is refused there.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from inspect import iscoroutinefunction
from typing import Any, Final, NamedTuple, TypeVar

from fastapi import FastAPI, Response
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_typed_return_annotation
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.types import ASGIApp, Receive, Scope, Send

from crm_service.admission import Admission
from crm_service.routing import StrictRoute

F = TypeVar("F", bound=Callable[..., Any])
Reader = Callable[[Scope], Any]
_READER: Final = "crm_reads_at_once"


def read_at_once(reader: Reader) -> Callable[[F], F]:
    """Marks a dependency that asks for nothing but a question. `reader` makes of a request's scope
    what the dependency would make of the request, or None where it does not see that at once."""

    def mark(dependency: F) -> F:
        setattr(dependency, _READER, reader)
        return dependency

    return mark


class Asked(NamedTuple):
    """An endpoint, the name of its question, and how that is read."""

    endpoint: Callable[..., Awaitable[Response]]
    name: str
    read: Reader


class DirectQuestions:
    """Pure ASGI middleware, beside `Direct`."""

    def __init__(self, app: ASGIApp, api: FastAPI) -> None:
        self._app = app
        self._api = api
        self._questions: Mapping[str, Asked] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _plain(scope):
            asked = self._table().get(scope["path"])
            question = None if asked is None else asked.read(scope)
            if asked is not None and question is not None:
                response = await self._answer(asked, question, scope)
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _answer(self, asked: Asked, question: Any, scope: Scope) -> Response:
        scope["endpoint"], scope["path_params"] = asked.endpoint, {}
        admission: Admission = self._api.state.admission
        async with admission.place():
            return await asked.endpoint(**{asked.name: question})

    def _table(self) -> Mapping[str, Asked]:
        if self._questions is None:
            self._questions = table_of(iter_route_contexts(self._api.routes))
        return self._questions


def table_of(routes: Iterable[RouteContext]) -> Mapping[str, Asked]:
    """The questions among routes by their paths, but for those that an earlier route answers."""
    table: dict[str, Asked] = {}
    before: list[re.Pattern[str]] = []
    for route in routes:
        path = route.path_format or ""
        if _is_question(route) and not any(each.match(path) for each in before):
            asked: Dependant = route.dependant.dependencies[0]
            table[path] = Asked(route.dependant.call, str(asked.name), getattr(asked.call, _READER))
        if route.path_regex is not None:
            before.append(route.path_regex)
    return table


def _plain(scope: Scope) -> bool:
    """A traced request goes the long way, where its span gets the name of its route."""
    return (
        scope["type"] == "http"
        and scope["method"] == "GET"
        and not scope.get("root_path")
        and scope.get("fastapi.telemetry") is None
    )


def _is_question(route: RouteContext) -> bool:
    dependant = getattr(route, "dependant", None)
    if dependant is None or not isinstance(route.original_route, StrictRoute):
        return False
    asked = dependant.dependencies
    return (
        route.methods == {"GET"}
        and not dependant.path_params
        and _asks_nothing_itself(dependant)
        and _answers_itself(dependant.call)
        and len(asked) == 1
        and hasattr(asked[0].call, _READER)
    )


def _asks_nothing_itself(dependant: Dependant) -> bool:
    own = (dependant.query_params, dependant.header_params, dependant.cookie_params)
    return not any(own) and not dependant.body_params and dependant.request_param_name is None


def _answers_itself(endpoint: Any) -> bool:
    answers = get_typed_return_annotation(endpoint)
    whole = isinstance(answers, type) and issubclass(answers, Response)
    return whole and iscoroutinefunction(endpoint)
