"""The routes of ticketing: one table, and below it what each endpoint does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from crm_service.commands import CommandCause, Expected, created, done
from crm_service.context import effective
from crm_service.routing import Endpoint, Router, command_table
from crm_service.schemas import Answer
from fastapi import Response

from crm_ticketing.api import schemas
from crm_ticketing.application import TicketingApplication
from crm_ticketing.application.feedback import ReceiveFeedback
from crm_ticketing.domain.concern import Concern

PREFIX: Final = "/v1/ticketing"


def command_router(app: TicketingApplication) -> Router:
    """Every command of ticketing."""
    intake, tickets = IntakeRoutes(app), TicketRoutes(app)
    table: Mapping[str, Endpoint] = {
        "/feedback": intake.receive_feedback,
        "/assignment-rules:define": intake.define_assignment_rules,
        "/tickets": tickets.open_ticket,
        "/tickets/{id}:assign": tickets.assign_ticket,
        "/tickets/{id}:reply": tickets.reply_to_ticket,
        "/tickets/{id}:hold": tickets.hold_ticket,
        "/tickets/{id}:resume": tickets.resume_ticket,
        "/tickets/{id}:resolve": tickets.resolve_ticket,
        "/tickets/{id}:close": tickets.close_ticket,
        "/tickets/{id}:reopen": tickets.reopen_ticket,
        "/tickets/{id}:amend": tickets.amend_ticket,
        "/tickets/{id}/surveys/{survey_id}:score": tickets.score_survey,
    }
    answers: Mapping[Endpoint, type[Answer]] = {intake.receive_feedback: schemas.FeedbackReceived}
    return command_table(Router(prefix=PREFIX, tags=["ticketing"]), table, answers)


class IntakeRoutes:
    """How work comes in, and who gets it."""

    def __init__(self, app: TicketingApplication) -> None:
        self._app = app

    def receive_feedback(self, body: schemas.ReceiveFeedback, cause: CommandCause) -> Response:
        feedback = ReceiveFeedback(**body.facts())
        outcome = self._app.receive_feedback(effective(cause, body), feedback)
        return created(outcome, f"{PREFIX}/feedback")

    def define_assignment_rules(
        self, body: schemas.DefineAssignmentRules, cause: CommandCause, expected: Expected
    ) -> Response:
        at = effective(cause, body)
        return done(self._app.define_assignment_rules(at, body.in_events(), expected))


class TicketRoutes:
    """Tickets from opening to closing, and their surveys."""

    def __init__(self, app: TicketingApplication) -> None:
        self._app = app

    def open_ticket(self, body: schemas.OpenTicket, cause: CommandCause) -> Response:
        concern = Concern(body.category, body.channel, body.priority, body.customer_id)
        at = effective(cause, body)
        outcome = self._app.open_ticket(at, concern, body.summary, body.agent_id)
        return created(outcome, f"{PREFIX}/tickets")

    def assign_ticket(
        self, id: UUID, body: schemas.AssignTicket, cause: CommandCause, expected: Expected
    ) -> Response:
        return done(self._app.assign_ticket(effective(cause, body), id, body.agent_id, expected))

    def reply_to_ticket(
        self, id: UUID, body: schemas.ReplyToTicket, cause: CommandCause
    ) -> Response:
        at = effective(cause, body)
        outcome = self._app.reply_to_ticket(
            at, id, body.body, public=body.public, agent_id=body.agent_id
        )
        return done(outcome)

    def hold_ticket(
        self, id: UUID, body: schemas.HoldTicket, cause: CommandCause, expected: Expected
    ) -> Response:
        return done(self._app.hold_ticket(effective(cause, body), id, body.reason, expected))

    def resume_ticket(
        self, id: UUID, body: schemas.ResumeTicket, cause: CommandCause, expected: Expected
    ) -> Response:
        return done(self._app.resume_ticket(effective(cause, body), id, expected))

    def resolve_ticket(
        self, id: UUID, body: schemas.ResolveTicket, cause: CommandCause, expected: Expected
    ) -> Response:
        at = effective(cause, body)
        return done(self._app.resolve_ticket(at, id, body.resolution, expected))

    def close_ticket(
        self, id: UUID, body: schemas.CloseTicket, cause: CommandCause, expected: Expected
    ) -> Response:
        return done(self._app.close_ticket(effective(cause, body), id, expected))

    def reopen_ticket(
        self, id: UUID, body: schemas.ReopenTicket, cause: CommandCause, expected: Expected
    ) -> Response:
        return done(self._app.reopen_ticket(effective(cause, body), id, body.reason, expected))

    def amend_ticket(
        self, id: UUID, body: schemas.AmendTicket, cause: CommandCause, expected: Expected
    ) -> Response:
        return done(self._app.amend_ticket(effective(cause, body), id, body.changes(), expected))

    def score_survey(
        self, id: UUID, survey_id: UUID, body: schemas.ScoreSurvey, cause: CommandCause
    ) -> Response:
        at = effective(cause, body)
        return done(self._app.score_survey(at, id, survey_id, body.score, body.comment))
