"""The routes of erasures; every one of them asks for the right `admin`."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from crm_service.commands import CommandCause, done
from crm_service.exchange import Needs
from crm_service.problems import RequestRefused
from crm_service.routing import MIB, Router, body_limit
from fastapi import Depends, Response

from crm_contacts.api import erasure_schemas as schemas
from crm_contacts.application.erasures import Erasures
from crm_contacts.domain.erasure import Grounds

PATH: Final = "/v1/contacts/erasures"
_LARGEST: Final = 16 * MIB


def erasures_router(erasures: Erasures) -> Router:
    """Erasing subjects, and the certificates of it."""
    router = Router(prefix=PATH, tags=["erasure"], dependencies=[Depends(Needs("admin"))])

    @router.get("")
    def list_erasures() -> schemas.ErasuresOut:
        return schemas.ErasuresOut(erasures=[_certificate(each) for each in erasures.all()])

    @router.get("/{id}")
    def read_erasure(id: UUID) -> schemas.CertificateOut:
        return _certificate(_known(erasures.find(id), id))

    @router.post("/{id}:erase", response_model=schemas.Erased)
    @body_limit(_LARGEST)
    def erase_subject(id: UUID, body: schemas.Erase, cause: CommandCause) -> Response:
        if body.statement.subject != id:
            detail = "The statement is about another subject; state what is held of this one."
            raise RequestRefused("malformed-request", detail)
        statement = body.statement.model_dump(mode="json")
        return done(erasures.erase(cause, id, Grounds(body.reason, body.reference), statement))

    @router.post("/{id}:certify")
    @body_limit(_LARGEST)
    def certify_erasure(
        id: UUID, body: schemas.After, cause: CommandCause
    ) -> schemas.CertificateOut:
        after = body.model_dump(mode="json")
        return _certificate(_known(erasures.certify(cause, id, after), id))

    return router


def keys_router(erasures: Erasures) -> Router:
    """What is to be done after a key database was restored."""
    router = Router(
        prefix="/v1/contacts/keys", tags=["erasure"], dependencies=[Depends(Needs("admin"))]
    )

    @router.post(":reapply")
    def reapply_erasures(_: schemas.Reapply) -> schemas.Reapplied:
        return schemas.Reapplied(subjects=erasures.reapply(), erased=len(erasures.all()))

    return router


def _known(found: Any, id: UUID) -> Any:
    if found is None:
        raise RequestRefused("not-found", f"Subject {id} has not been erased.")
    return found


def _certificate(found: Any) -> schemas.CertificateOut:
    return schemas.CertificateOut.model_validate(found)
