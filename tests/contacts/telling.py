"""What the tests of contacts tell their stories with."""

from crm_events.contracts.contacts import LeadCaptured, LeadQualified
from crm_events.event import Event


def qualified(captured: Event) -> LeadQualified:
    """How a lead that was captured so is qualified without a need."""
    assert isinstance(captured, LeadCaptured)
    return LeadQualified(person_id=captured.person_id)
