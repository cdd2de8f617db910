"""The views' own routes: one for each question, and how far they all are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from anyio.to_thread import run_sync
from crm_service.problems import RequestRefused
from crm_service.routing import Router, reads_only, whatever_is_asked
from fastapi import Depends, Response
from pydantic import BaseModel

from crm_projections.api.answering import Answering
from crm_projections.api.asking import Question, asked
from crm_projections.api.errors import behind
from crm_projections.api.opening import Opening, diff_parameters, why_parameters
from crm_projections.api.paging import Paging
from crm_projections.api.reporting import report_of
from crm_projections.api.schemas import (
    AnswerOut,
    DiffOut,
    PageOut,
    PositionOut,
    ReportOut,
    ViewsOut,
    WhatIfOut,
    WhyOut,
)
from crm_projections.api.standing import Standings
from crm_projections.engine.evidence import Evident
from crm_projections.engine.listing import Listed
from crm_projections.engine.parameters import ViewParameters
from crm_projections.engine.supposing import Policy, Supposable
from crm_projections.engine.view import View
from crm_projections.engine.waiting import Bell, wait_for
from crm_projections.facts.instants import Reporting

Work = Callable[[Any, Question], bytes]


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
    views: Sequence[Evident[Any]],
    lists: Mapping[str, Listed[Any]],
    work: tuple[Answering, Opening, Paging],
    bell: Bell,
    reporting: Reporting,
) -> Router:
    """`GET /v1/views/<name>` for each view that can be asked, its reports, and the lists behind
    their numbers by the path below the view's; `POST` to ask what if."""
    router = Router(prefix="/v1/views", tags=["views"])
    those = _Asked(router, *work, bell, reporting)
    for view in views:
        those.add(view.definition.id, view, AnswerOut)
        those.add_report(f"{view.definition.id}/report", view)
        those.open(view)
    supposable = [view for view in views if isinstance(view, Supposable)]
    for supposed in supposable:
        those.suppose(supposed)
    for path, listed in lists.items():
        those.list(f"{listed.definition.id}/{path}", listed)
    known = ", ".join(view.definition.id for view in views)

    @router.get("/{name}", include_in_schema=False)
    @router.get("/{name}/report", include_in_schema=False)
    @router.get("/{name}/why", include_in_schema=False)
    @router.get("/{name}/diff", include_in_schema=False)
    @whatever_is_asked
    def refuse_view(name: str) -> None:
        raise RequestRefused("not-found", f"There is no view {name!r}; there are: {known}.")

    @router.post("/{name}/what-if", include_in_schema=False)
    @reads_only
    def refuse_what_if(name: str) -> None:
        those = ", ".join(view.definition.id for view in supposable)
        detail = f"There is no what-if of {name!r}; there are: {those}."
        raise RequestRefused("not-found", detail)

    return router


@dataclass(frozen=True, slots=True)
class _Asked:
    """What every question's route needs."""

    router: Router
    answering: Answering
    opening: Opening
    paging: Paging
    bell: Bell
    reporting: Reporting

    def add(self, path: str, view: View[Any], answer: type[AnswerOut]) -> None:
        self._add(path, view, self._answered, answer, str(type(view).__doc__))

    def list(self, path: str, view: Listed[Any]) -> None:
        self._add(path, view, self._listed, PageOut, str(type(view).__doc__))

    def add_report(self, path: str, view: View[Any]) -> None:
        about = "The answer as a report: with ids only, at a position, and with its citation."
        self._add(path, view, self._reported, ReportOut, about)

    def open(self, view: Evident[Any]) -> None:
        """The events behind one number, and those between two cuts."""
        opening = self.opening
        for path, work, answer, model in (
            ("why", opening.why, WhyOut, why_parameters(view.parameters)),
            ("diff", opening.diff, DiffOut, diff_parameters(view.parameters)),
        ):
            name, about = f"{view.definition.id}/{path}", str(work.__doc__)
            self._add(name, view, partial(_opened, work), answer, about, parameters=model)

    def suppose(self, view: Supposable[Any]) -> None:
        """The view under the policy of the body, beside what it says."""
        self.router.add_api_route(
            f"/{view.definition.id}/what-if",
            self._what_if(view),
            methods=["POST"],
            name=f"suppose_{view.definition.id}",
            response_model=WhatIfOut,
            description=str(WhatIfOut.__doc__),
        )

    def _what_if(self, view: Supposable[Any]) -> Callable[..., Awaitable[Response]]:
        ask = asked(view.parameters, view.contexts, self.reporting.zone)

        async def what_if(policy: Any, question: Question = Depends(ask)) -> Response:
            work = partial(self._supposed, policy=policy)
            return await self._worked(view, work, question)

        what_if.__annotations__["policy"] = view.policy
        return reads_only(what_if)

    def _supposed(self, view: Supposable[Any], question: Question, policy: Policy) -> bytes:
        return _json(self.answering.what_if(view, question, policy))

    def _add(
        self,
        path: str,
        view: View[Any],
        work: Work,
        answer: type[BaseModel],
        about: str,
        *,
        parameters: type[ViewParameters] | None = None,
    ) -> None:
        self.router.add_api_route(
            f"/{path}",
            self._endpoint(view, work, parameters or view.parameters),
            methods=["GET"],
            name=f"read_{path.replace('/', '_')}",
            response_model=answer,
            description=about,
        )

    def _answered(self, view: View[Any], question: Question) -> bytes:
        return _json(self.answering.answer(view, question))

    def _listed(self, view: Listed[Any], question: Question) -> bytes:
        page = self.paging.page(view, question)
        return self._answered(view, question) if page is None else _json(page)

    def _reported(self, view: View[Any], question: Question) -> bytes:
        return report_of(self.answering.look(view, question), self.reporting)

    def _endpoint(
        self, view: View[Any], work: Work, parameters: type[ViewParameters]
    ) -> Callable[..., Awaitable[Response]]:
        ask = asked(parameters, view.contexts, self.reporting.zone)

        async def read_view(question: Question = Depends(ask)) -> Response:
            return await self._worked(view, work, question)

        return read_view

    async def _worked(self, view: View[Any], work: Work, question: Question) -> Response:
        """Wait for what the question names, then answer it beside the loop."""
        answering = self.answering
        mine = [token for token in question.after if token.context in view.contexts]
        read = lambda: answering.states(view)  # noqa: E731 - it is waited with, again and again
        if mine and not await wait_for(read, mine, question.wait, self.bell):
            raise behind(await run_sync(answering.position, view))
        body = await run_sync(work, view, question)
        return Response(body, media_type="application/json")


def _json(found: Mapping[str, Any]) -> bytes:
    return orjson.dumps(found, default=str, option=orjson.OPT_NON_STR_KEYS)


def _opened(
    work: Callable[[Evident[Any], Question], dict[str, Any]], view: Any, question: Question
) -> bytes:
    return orjson.dumps(work(view, question))
