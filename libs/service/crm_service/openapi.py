"""The OpenAPI 3.1 document of a service, with every problem it may answer declared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, RouteContext

from crm_service.links import add_links
from crm_service.problems import MEDIA_TYPE, Registry
from crm_service.route_table import RouteTable, headers_of

_FOR_ALL: Final = frozenset({400, 401, 403, 422, 500, 503})
_FOR_BODIES: Final = frozenset({404, 409, 412, 413, 415})
_FIELD_ERROR: Final = {
    "type": "object",
    "required": ["in", "field", "reason"],
    "properties": {
        "in": {"type": "string", "enum": ["body", "query", "path", "header", "cookie"]},
        "field": {"type": "string", "examples": ["rows[3].amount"]},
        "reason": {"type": "string"},
    },
}
_PROBLEM: Final = {
    "type": "object",
    "description": "A refusal as RFC 9457 has it. `type` leads to a page that explains the slug.",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "examples": ["/problems/not-found"]},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "The correlation id, as a URN."},
        "current_version": {"type": "integer", "description": "With 409 and 412: the version now."},
        "errors": {"type": "array", "items": _FIELD_ERROR, "description": "With 422."},
    },
}


def operation_id(route: APIRoute) -> str:
    """The name of the route's function: what generated clients call it."""
    return route.name


def refuse_same_names(table: RouteTable) -> None:
    """Raises ValueError where two operations of one document would have one operationId."""
    counted = Counter(name for name, _ in table.operations())
    twice = sorted(name for name, times in counted.items() if times > 1)
    if twice:
        raise ValueError(f"Two routes have one name; rename a function: {', '.join(twice)}.")


def describe(app: FastAPI, registry: Registry) -> dict[str, Any]:
    """The document, with components for problems and the bearer token added to FastAPI's own."""
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = _PROBLEM
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    components["responses"] = {f"Problem{s}": _response(s, registry) for s in _statuses(registry)}
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"token": []}]
    for operation, answers in _operations(document, registry):
        operation["responses"].update(answers)
    for _, route in RouteTable(app).operations():
        _declare_headers(document["paths"][route.path_format], route)
    add_links(document)
    return document


def _declare_headers(item: dict[str, Any], route: RouteContext) -> None:
    declared = list(headers_of(route.dependant).values())
    for method in route.methods or ():
        if declared:
            item[method.lower()].setdefault("parameters", []).extend(declared)


def _statuses(registry: Registry) -> list[int]:
    return sorted({kind.status for kind in registry.values()})


def _response(status: int, registry: Registry) -> dict[str, Any]:
    kinds = {slug: kind.title for slug, kind in registry.items() if kind.status == status}
    described = "; ".join(f"`{slug}`: {title}" for slug, title in sorted(kinds.items()))
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": described, "content": {MEDIA_TYPE: {"schema": schema}}}


def _operations(
    document: Mapping[str, Any], registry: Registry
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for path, item in document["paths"].items():
        for operation in item.values():
            met = _FOR_ALL | ({404} if "{" in path else set())
            met = met | (_FOR_BODIES if "requestBody" in operation else set())
            statuses = met & set(_statuses(registry))
            yield (
                operation,
                {str(s): {"$ref": f"#/components/responses/Problem{s}"} for s in sorted(statuses)},
            )
