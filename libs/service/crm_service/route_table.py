"""What a matched endpoint is called: its path template, for metrics, and the queries it knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts
from pydantic import BaseModel
from starlette.types import Scope

F = TypeVar("F", bound=Callable[..., Any])
UNMATCHED: Final = "unmatched"
_HEADERS: Final = "crm_headers"


def described(header: str, meaning: str, **shape: Any) -> Callable[[F], F]:
    """Declares an optional header that a dependency reads by itself, many times faster than as a
    parameter of FastAPI's. `shape` is what JSON Schema says of its text, such as `pattern`."""
    schema = {"type": "string", **shape}
    declared = {"name": header, "in": "header", "description": meaning, "schema": schema}

    def mark(dependency: F) -> F:
        setattr(dependency, _HEADERS, {header: declared})
        return dependency

    return mark


class RouteTable:
    """Built from the application's routes when first asked, and again when a new endpoint shows."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._templates: dict[Any, str] = {}
        self._queries: dict[Any, frozenset[str]] = {}

    def template(self, scope: Scope) -> str:
        """The template of the matched path, such as `/v1/contacts/leads/{id}`."""
        endpoint = scope.get("endpoint")
        if endpoint is None:
            return UNMATCHED
        if endpoint not in self._templates:
            self._read_routes()
        return self._templates.setdefault(endpoint, UNMATCHED)

    def query_names(self, endpoint: Any) -> frozenset[str]:
        """The names of the query parameters that an endpoint and its dependencies declare."""
        if endpoint not in self._queries:
            self._read_routes()
        return self._queries.get(endpoint, frozenset())

    def operations(self) -> Iterator[tuple[str, RouteContext]]:
        """The name and the route of each operation that is described to clients."""
        for route in iter_route_contexts(self._app.routes):
            if getattr(route, "include_in_schema", False) and hasattr(route, "unique_id"):
                yield str(route.unique_id), route

    def _read_routes(self) -> None:
        for route in iter_route_contexts(self._app.routes):
            endpoint = route.endpoint or getattr(route.route, "app", None)
            self._templates[endpoint] = route.path_format or route.path or UNMATCHED
            dependant = getattr(route, "dependant", None)
            if dependant is not None:
                self._queries[endpoint] = frozenset(_names(dependant))


def headers_of(dependant: Dependant) -> dict[str, Any]:
    """The headers that an endpoint's dependencies described, by name, as OpenAPI has them."""
    found: dict[str, Any] = dict(getattr(dependant.call, _HEADERS, {}))
    for child in dependant.dependencies:
        found |= headers_of(child)
    return found


def _names(dependant: Dependant) -> Iterator[str]:
    for parameter in dependant.query_params:
        annotation = parameter.field_info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from (field.alias or name for name, field in annotation.model_fields.items())
        else:
            yield parameter.alias
    for child in dependant.dependencies:
        yield from _names(child)
