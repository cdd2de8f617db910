from collections.abc import Iterator

from crm_events.domain import DomainError
from crm_pipeline import bootstrap
from crm_pipeline.api.errors import ERRORS

_OURS = ("crm_pipeline.", "crm_service.", "crm_events.")


def refusals(error: type[DomainError]) -> Iterator[type[DomainError]]:
    yield error
    for child in error.__subclasses__():
        yield from refusals(child)


def test_every_refusal_has_a_status_of_its_own() -> None:
    assert bootstrap.ROLES.context == "pipeline"
    ours = [e for e in refusals(DomainError) if f"{e.__module__}.".startswith(_OURS)]
    assert len(ours) > 20
    assert {error.slug for error in ours} - set(ERRORS) == set()
