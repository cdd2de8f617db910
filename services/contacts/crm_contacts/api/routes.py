"""The routes of contacts."""

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
from crm_contacts.domain.organisation import Organisation, OrganisationFacts
from crm_contacts.domain.person import Permission, Person, PersonFacts
from crm_contacts.domain.staff import StaffFacts

PREFIX: Final = "/v1/contacts"


def staff_router(app: ContactsApplication) -> Router:
    """Who works here."""
    router = Router(prefix=f"{PREFIX}/staff", tags=["staff"])

    @router.post("", status_code=201, response_model=Answer)
    def register_staff(body: schemas.RegisterStaff, cause: CommandCause) -> Response:
        outcome = app.register_staff(effective(cause, body), StaffFacts(**body.facts()))
        return created(outcome, f"{PREFIX}/staff")

    @router.post("/{id}:change", response_model=Answer)
    def change_staff(
        id: UUID, body: schemas.ChangeStaff, cause: CommandCause, expected: Expected
    ) -> Response:
        return done(app.change_staff(effective(cause, body), id, body.changes(), expected))

    return router


def organisations_router(app: ContactsApplication) -> Router:
    """Companies and institutions."""
    router = Router(prefix=f"{PREFIX}/organisations", tags=["organisations"])

    @router.post("", status_code=201, response_model=Answer)
    def register_organisation(body: schemas.RegisterOrganisation, cause: CommandCause) -> Response:
        facts = OrganisationFacts(**body.facts())
        return created(
            app.register_organisation(effective(cause, body), facts), f"{PREFIX}/organisations"
        )

    @router.post("/{id}:change", response_model=Answer)
    def change_organisation(
        id: UUID, body: schemas.ChangeOrganisation, cause: CommandCause, expected: Expected
    ) -> Response:
        return done(app.change_organisation(effective(cause, body), id, body.changes(), expected))

    @router.post("/{id}:enter-phase", response_model=Answer)
    def enter_phase_of_organisation(
        id: UUID, body: schemas.EnterPhase, cause: CommandCause, expected: Expected
    ) -> Response:
        at = effective(cause, body)
        return done(app.enter_phase(at, Organisation, id, body.phase, expected))

    return router


def people_router(app: ContactsApplication) -> Router:
    """People and where they stand."""
    router = Router(prefix=f"{PREFIX}/people", tags=["people"])

    @router.post("", status_code=201, response_model=Answer)
    def register_person(body: schemas.RegisterPerson, cause: CommandCause) -> Response:
        outcome = app.register_person(effective(cause, body), PersonFacts(**body.facts()))
        return created(outcome, f"{PREFIX}/people")

    @router.post("/{id}:change", response_model=Answer)
    def change_person(
        id: UUID, body: schemas.ChangePerson, cause: CommandCause, expected: Expected
    ) -> Response:
        return done(app.change_person(effective(cause, body), id, body.changes(), expected))

    @router.post("/{id}:enter-phase", response_model=Answer)
    def enter_phase_of_person(
        id: UUID, body: schemas.EnterPhase, cause: CommandCause, expected: Expected
    ) -> Response:
        at = effective(cause, body)
        return done(app.enter_phase(at, Person, id, body.phase, expected))

    return router


def consent_router(app: ContactsApplication) -> Router:
    """What people allow, each purpose on each channel by itself."""
    router = Router(prefix=f"{PREFIX}/people", tags=["consent"])

    @router.post("/{id}:give-consent", response_model=Answer)
    def give_consent(
        id: UUID, body: schemas.GiveConsent, cause: CommandCause, expected: Expected
    ) -> Response:
        permission, at = Permission(body.channel, body.purpose), effective(cause, body)
        return done(app.give_consent(at, id, permission, body.evidence, expected))

    @router.post("/{id}:withdraw-consent", response_model=Answer)
    def withdraw_consent(
        id: UUID, body: schemas.WithdrawConsent, cause: CommandCause, expected: Expected
    ) -> Response:
        permission, at = Permission(body.channel, body.purpose), effective(cause, body)
        return done(app.withdraw_consent(at, id, permission, body.reason, expected))

    return router
