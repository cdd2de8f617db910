"""The views' own routes: one for each question, and how far they all are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
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
from crm_projections.api.schemas import AnswerOut, PageOut, PositionOut, ViewsOut
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
    views: Sequence[View[Any]],
    lists: Mapping[str, View[Any]],
    answering: Answering,
    bell: Bell,
    zone: ZoneInfo,
) -> Router:
    """`GET /v1/views/<name>` for each view that can be asked, and the lists behind their numbers
    by the path below the view's."""
    router = Router(prefix="/v1/views", tags=["views"])
    those = _Asked(router, answering, bell, zone)
    for view in views:
        those.add(view.definition.id, view, AnswerOut)
    for path, view in lists.items():
        those.add(f"{view.definition.id}/{path}", view, PageOut)
    known = ", ".join(view.definition.id for view in views)

    @router.get("/{name}", include_in_schema=False)
    def refuse_view(name: str) -> None:
        raise RequestRefused("not-found", f"There is no view {name!r}; there are: {known}.")

    return router


@dataclass(frozen=True, slots=True)
class _Asked:
    """What every question's route needs."""

    router: Router
    answering: Answering
    bell: Bell
    zone: ZoneInfo

    def add(self, path: str, view: View[Any], answer: type[AnswerOut]) -> None:
        self.router.add_api_route(
            f"/{path}",
            self._endpoint(view),
            methods=["GET"],
            name=f"read_{path.replace('/', '_')}",
            response_model=answer,
            description=type(view).__doc__,
        )

    def _endpoint(self, view: View[Any]) -> Callable[..., Awaitable[Response]]:
        ask, answering = asked(view.parameters, view.contexts, self.zone), self.answering

        async def read_view(question: Question = Depends(ask)) -> Response:
            mine = [token for token in question.after if token.context in view.contexts]
            read = lambda: answering.states(view)  # noqa: E731 - it is waited with, again and again
            if mine and not await wait_for(read, mine, question.wait, self.bell):
                raise behind(await run_sync(answering.position, view))
            found = await run_sync(answering.answer, view, question)
            body = orjson.dumps(found, default=str, option=orjson.OPT_NON_STR_KEYS)
            return Response(body, media_type="application/json")

        return read_view
