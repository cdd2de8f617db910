"""The reaction of every context to an erasure."""

from __future__ import annotations

from crm_events.contracts.contacts import SubjectErased
from crm_events.envelope import Envelope
from crm_events.feed.session import Session


def forget_subject(session: Session, envelope: Envelope, event: SubjectErased) -> None:
    """Hashes of names, imported rows and requests, by which a guess could be checked, go too."""
    del envelope
    session.forget(event.subject_id)
