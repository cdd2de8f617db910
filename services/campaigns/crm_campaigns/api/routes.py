"""The routes of campaigns."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from crm_events.contracts.campaigns import Goal
from crm_service.commands import CommandCause, Expected, created, done
from crm_service.context import effective
from crm_service.routing import Router
from crm_service.schemas import Answer
from fastapi import Response

from crm_campaigns.api import schemas
from crm_campaigns.application import CampaignsApplication
from crm_campaigns.domain import response
from crm_campaigns.domain.campaign import Plan

PATH: Final = "/v1/campaigns/campaigns"


def campaigns_router(app: CampaignsApplication) -> Router:
    """Campaigns from plan to responses."""
    router = Router(prefix=PATH, tags=["campaigns"])

    @router.post("", status_code=201, response_model=Answer)
    def plan_campaign(body: schemas.PlanCampaign, cause: CommandCause) -> Response:
        goal = Goal(measure=body.goal.measure, target=body.goal.target)
        plan = Plan(**{**body.facts(), "goal": goal})
        return created(app.plan_campaign(effective(cause, body), plan), PATH)

    @router.post("/{id}:launch", response_model=Answer)
    def launch_campaign(
        id: UUID, body: schemas.LaunchCampaign, cause: CommandCause, expected: Expected
    ) -> Response:
        return done(app.launch_campaign(effective(cause, body), id, expected))

    @router.post("/{id}/responses", status_code=201, response_model=schemas.ResponseRecorded)
    def record_response(id: UUID, body: schemas.RecordResponse, cause: CommandCause) -> Response:
        answer = response.Answer(**body.facts())
        return created(
            app.record_response(effective(cause, body), id, answer), f"{PATH}/{id}/responses"
        )

    return router
