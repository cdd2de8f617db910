from crm_campaigns import bootstrap
from crm_campaigns.api.errors import ERRORS
from crm_events.domain import DomainError


def _family(root: type[DomainError]) -> list[type[DomainError]]:
    return [root, *(error for child in root.__subclasses__() for error in _family(child))]


def test_every_refusal_has_a_status_of_its_own() -> None:
    assert bootstrap.ROLES.context == "campaigns"
    ours = ("crm_campaigns.", "crm_service.", "crm_events.")
    slugs = {e.slug for e in _family(DomainError) if e.__module__.startswith(ours)}
    assert slugs - set(ERRORS) == set()
