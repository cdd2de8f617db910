"""What a problem's `type` leads to: a page for people, JSON for programs."""

from __future__ import annotations

from html import escape
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from crm_service.problems import Registry, RequestRefused


def problem_routes(registry: Registry) -> list[BaseRoute]:
    """`/problems` lists every slug of the registry, `/problems/{slug}` explains one."""

    async def problems(request: Request) -> Response:
        return _shown(request, [_explained(registry, slug) for slug in sorted(registry)])

    async def problem(request: Request) -> Response:
        slug: str = request.path_params["slug"]
        if slug not in registry:
            raise RequestRefused("not-found", "No problem goes by that name; /problems lists all.")
        return _shown(request, [_explained(registry, slug)], single=True)

    return [Route("/problems", problems), Route("/problems/{slug}", problem)]


def _explained(registry: Registry, slug: str) -> dict[str, Any]:
    kind = registry[slug]
    return {
        "type": f"/problems/{slug}",
        "title": kind.title,
        "status": kind.status,
        "remedy": kind.remedy,
    }


def _shown(request: Request, entries: list[dict[str, Any]], *, single: bool = False) -> Response:
    if "text/html" in request.headers.get("accept", ""):
        return HTMLResponse("<!doctype html><meta charset=utf-8>" + "".join(map(_html, entries)))
    return JSONResponse(entries[0] if single else entries)


def _html(entry: dict[str, Any]) -> str:
    title, remedy = escape(entry["title"]), escape(entry["remedy"])
    return (
        f"<h1><a href='{escape(entry['type'])}'>{title}</a></h1>"
        f"<p>Status {entry['status']}. {remedy}</p>"
    )
