"""The commands of campaigns: load, decide, save.

Every method answers an `Outcome` once for each command id, and raises what its aggregate refuses
with.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from crm_events.application import ContextApplication, Outcome, Saving
from crm_events.codec import Codec
from crm_events.contracts.campaigns import (
    CampaignPlanned,
    CampaignWithdrawn,
    ResponseReceived,
    ResponseWithdrawn,
)
from crm_events.ids import new_id
from crm_events.store.mapper import Cause
from crm_events.store.port import Beside, EventRecorder
from crm_service.names import Named, NameIndex
from crm_service.staff import staff_member
from crm_service.undoing.kinds import Undoable

from crm_campaigns.domain.campaign import Campaign, Plan
from crm_campaigns.domain.response import Answer, Response

CAMPAIGN: Final = "campaign"
NAMES: Final[dict[str, Named[Any]]] = {
    CAMPAIGN: Named(Campaign, lambda campaign: campaign.name, lambda _: False, None)
}
"""What can be looked up by name; an unknown campaign stays unknown, since nobody planned it."""

UNDOABLES: Final[tuple[Undoable[Any], ...]] = (
    Undoable(
        CAMPAIGN,
        Campaign,
        CampaignPlanned,
        CampaignWithdrawn,
        name_of=lambda campaign: campaign.name,
    ),
    Undoable("response", Response, ResponseReceived, ResponseWithdrawn),
)
"""What of campaigns can be undone."""


class CampaignsApplication(ContextApplication):
    """Campaigns and their responses over one store."""

    context = "campaigns"

    def __init__(self, recorder: EventRecorder, codec: Codec, secret: bytes) -> None:
        super().__init__(recorder, codec)
        self.names = NameIndex(recorder, secret)

    def plan_campaign(self, cause: Cause, plan: Plan) -> Outcome:
        """Raises StaffUnknown where contacts has told of no such owner (yet)."""

        def decide() -> Saving:
            if plan.owner_id is not None:
                staff_member(self.recorder, plan.owner_id)
            campaign = Campaign(new_id())
            campaign.plan(plan, at=cause.at)
            entry = self.names.entry(CAMPAIGN, campaign.id, campaign.name)
            return Saving((campaign,), beside=Beside(directory=(entry,)))

        return self.execute(cause, decide)

    def launch_campaign(self, cause: Cause, id: UUID, expected: int | None = None) -> Outcome:
        def decide() -> Campaign:
            campaign = self.load(Campaign, id, expected=expected)
            campaign.launch(at=cause.at)
            return campaign

        return self.execute(cause, decide, expected=expected)

    def record_response(self, cause: Cause, campaign_id: UUID, answer: Answer) -> Outcome:
        """Responses to one campaign never race: each has a stream of its own."""

        def decide() -> Saving:
            campaign = self.load(Campaign, campaign_id)
            response, lead_id, person_id = Response(new_id()), new_id(), self.new_subject()
            response.receive(campaign, answer, lead_id, person_id, at=cause.at)
            result = {"lead_id": str(lead_id), "person_id": str(person_id)}
            return Saving((response,), result=result)

        return self.execute(cause, decide)
