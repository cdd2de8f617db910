from collections.abc import Iterator

from crm_events.domain import DomainError
from crm_ticketing import bootstrap
from crm_ticketing.api.errors import ERRORS

_OURS = ("crm_ticketing.", "crm_service.", "crm_events.")


def refusals(error: type[DomainError]) -> Iterator[type[DomainError]]:
    yield error
    for child in error.__subclasses__():
        yield from refusals(child)


def test_every_refusal_has_a_status_of_its_own() -> None:
    assert bootstrap.ROLES.context == "ticketing"
    ours = [e for e in refusals(DomainError) if f"{e.__module__}.".startswith(_OURS)]
    assert len(ours) > 15
    assert {error.slug for error in ours} - set(ERRORS) == set()
