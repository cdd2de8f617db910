"""What contacts tells pipeline: who staff and organisations are, and which leads became deals."""

from __future__ import annotations

from typing import Final

from crm_events.contracts.contacts import (
    LeadConverted,
    OrganisationChanged,
    OrganisationRegistered,
    OrganisationWithdrawn,
    StaffChanged,
    StaffRegistered,
    StaffWithdrawn,
    SubjectErased,
)
from crm_events.envelope import Envelope
from crm_events.feed.reactor import Reactions, Session
from crm_events.store.port import DirectoryEntry
from crm_service.erasing.forgetting import forget_subject
from crm_service.staff import forget_staff, remember_staff

from crm_pipeline.application import PipelineApplication
from crm_pipeline.application.directory import ORGANISATION
from crm_pipeline.domain.deal import Deal
from crm_pipeline.domain.deal_facts import DealFacts, Opening, grouped
from crm_pipeline.domain.pipeline import Pipeline


def remember_organisation(
    session: Session, envelope: Envelope, event: OrganisationRegistered | OrganisationChanged
) -> None:
    """Its sector goes into the deals that are opened from now on."""
    known = {"sector": event.sector}
    session.remember(DirectoryEntry(ORGANISATION, envelope.aggregate_id, None, known))


def forget_organisation(session: Session, envelope: Envelope, event: OrganisationWithdrawn) -> None:
    """Nothing is known of its sector any more, unless the event after this one says it again."""
    if event.gone:
        session.remember(DirectoryEntry(ORGANISATION, envelope.aggregate_id, None, {}))


def open_converted_deal(session: Session, envelope: Envelope, event: LeadConverted) -> None:
    """A converted lead is a deal in the first stage, with the facts the lead brought along.

    Where the deal is open already, or there is no such pipeline, nothing happens.
    """
    app: PipelineApplication = session.app  # type: ignore[assignment]
    pipeline = session.load(Pipeline, app.pipeline_id(event.pipeline))
    customer_id = event.organisation_id or event.person_id
    facts = DealFacts(
        title=event.title,
        customer_id=customer_id,
        source=event.source,
        campaign_id=event.campaign_id,
        amount=event.amount,
    )
    entry = session.remembered(ORGANISATION, customer_id)
    sector = None if entry is None else entry.data.get("sector")
    deal = session.find(Deal, event.deal_id) or Deal(event.deal_id)
    deal.open(
        pipeline,
        pipeline.first,
        grouped(facts, event.owner, sector),
        event.owner,
        Opening(lead_id=envelope.aggregate_id),
        at=session.at,
    )
    session.add(deal)


REACTIONS: Final = Reactions(
    name="pipeline.reactions",
    table={
        StaffRegistered: remember_staff,
        StaffChanged: remember_staff,
        StaffWithdrawn: forget_staff,
        SubjectErased: forget_subject,
        OrganisationRegistered: remember_organisation,
        OrganisationChanged: remember_organisation,
        OrganisationWithdrawn: forget_organisation,
        LeadConverted: open_converted_deal,
    },
)
