"""The routes of leads."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from crm_service.commands import CommandCause, Expected, created, done
from crm_service.context import effective
from crm_service.routing import Router
from crm_service.schemas import Answer
from fastapi import Response

from crm_contacts.api import schemas
from crm_contacts.application import ContactsApplication
from crm_contacts.application.leads import ConvertLead
from crm_contacts.domain.lead import LeadFacts

PATH: Final = "/v1/contacts/leads"


def leads_router(app: ContactsApplication) -> Router:
    """Leads from the first interest to their end."""
    router = Router(prefix=PATH, tags=["leads"])

    @router.post("", status_code=201, response_model=schemas.LeadCaptured)
    def capture_lead(body: schemas.CaptureLead, cause: CommandCause) -> Response:
        facts = LeadFacts(**body.lead_facts())
        return created(app.capture_lead(effective(cause, body), facts, body.owner_id), PATH)

    @router.post("/{id}:qualify", response_model=Answer)
    def qualify_lead(
        id: UUID, body: schemas.QualifyLead, cause: CommandCause, expected: Expected
    ) -> Response:
        return done(app.qualify_lead(effective(cause, body), id, body.need, expected))

    @router.post("/{id}:disqualify", response_model=Answer)
    def disqualify_lead(
        id: UUID, body: schemas.DisqualifyLead, cause: CommandCause, expected: Expected
    ) -> Response:
        return done(app.disqualify_lead(effective(cause, body), id, body.reason, expected))

    @router.post("/{id}:convert", response_model=schemas.LeadConverted)
    def convert_lead(
        id: UUID, body: schemas.ConvertLead, cause: CommandCause, expected: Expected
    ) -> Response:
        command = ConvertLead(**body.facts())
        return done(app.convert_lead(effective(cause, body), id, command, expected))

    return router


def lead_care_router(app: ContactsApplication) -> Router:
    """Who has a lead, and how it is marked."""
    router = Router(prefix=PATH, tags=["leads"])

    @router.post("/{id}:assign", response_model=Answer)
    def assign_lead(
        id: UUID, body: schemas.AssignLead, cause: CommandCause, expected: Expected
    ) -> Response:
        return done(app.assign_lead(effective(cause, body), id, body.owner_id, expected))

    @router.post("/{id}:tag", response_model=Answer)
    def tag_lead(
        id: UUID, body: schemas.TagLead, cause: CommandCause, expected: Expected
    ) -> Response:
        return done(app.tag_lead(effective(cause, body), id, body.tag, expected))

    @router.post("/{id}:untag", response_model=Answer)
    def untag_lead(
        id: UUID, body: schemas.TagLead, cause: CommandCause, expected: Expected
    ) -> Response:
        return done(app.untag_lead(effective(cause, body), id, body.tag, expected))

    return router
