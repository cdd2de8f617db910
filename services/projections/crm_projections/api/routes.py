"""The views' own routes: one for each question, and how far they all are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from anyio.to_thread import run_sync
from crm_service.problems import RequestRefused
from crm_service.routing import Router
from fastapi import Depends, Response

from crm_projections.api.answering import Answering
from crm_projections.api.asking import Question, asked
from crm_projections.api.errors import behind
from crm_projections.api.schemas import AnswerOut, PositionOut, ViewsOut
from crm_projections.api.standing import Standings
from crm_projections.engine.view import View
from crm_projections.engine.waiting import Bell, wait_for


def views_router(standings: Standings) -> Router:
    """Which views there are and how far they have come."""
    router = Router(prefix="/v1/views", tags=["views"])

    @router.get("")
    def list_views() -> ViewsOut:
        return standings.views()

    @router.get("/position")
    def read_position() -> PositionOut:
        return standings.position()

    return router


def questions_router(
    views: Sequence[View[Any]], answering: Answering, bell: Bell, zone: ZoneInfo
) -> Router:
    """`GET /v1/views/<name>` for each view that can be asked."""
    router = Router(prefix="/v1/views", tags=["views"])
    for view in views:
        _add(router, view, answering, bell, zone)
    known = ", ".join(view.definition.id for view in views)

    @router.get("/{name}", include_in_schema=False)
    def refuse_view(name: str) -> None:
        raise RequestRefused("not-found", f"There is no view {name!r}; there are: {known}.")

    return router


def _add(router: Router, view: View[Any], answering: Answering, bell: Bell, zone: ZoneInfo) -> None:
    name = view.definition.id
    ask = asked(view.parameters, view.contexts, zone)

    async def read_view(question: Question = Depends(ask)) -> Response:
        mine = [token for token in question.after if token.context in view.contexts]
        read = lambda: answering.states(view)  # noqa: E731 - it is waited with, again and again
        if mine and not await wait_for(read, mine, question.wait, bell):
            raise behind(await run_sync(answering.position, view))
        found = await run_sync(answering.answer, view, question)
        body = orjson.dumps(found, default=str, option=orjson.OPT_NON_STR_KEYS)
        return Response(body, media_type="application/json")

    router.add_api_route(
        f"/{name}",
        read_view,
        methods=["GET"],
        name=f"read_{name}",
        response_model=AnswerOut,
        description=type(view).__doc__,
    )
