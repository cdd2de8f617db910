"""A response: somebody answered a campaign. A stream of its own, so that answers never race."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from crm_events.contracts.campaigns import ResponseReceived
from crm_events.domain import Aggregate, DomainError, applies

from crm_campaigns.domain.campaign import Campaign


class ResponseExists(DomainError):
    slug: ClassVar[str] = "response-exists"

    def __init__(self) -> None:
        super().__init__("This response has been recorded already.")


class ChannelNotPlanned(DomainError):
    slug: ClassVar[str] = "channel-not-planned"

    def __init__(self, channel: str, planned: tuple[str, ...]) -> None:
        super().__init__(
            f"The campaign does not run on {channel!r}; its channels are {', '.join(planned)}."
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """Who answered and where; the name, the ways to reach them and the company are personal."""

    name: str | None
    channel: str
    email: str | None = None
    phone: str | None = None
    company: str | None = None
    region: str | None = None


class Response(Aggregate):
    """One response, from which contacts captures the lead `lead_id`."""

    def __init__(self, id: UUID) -> None:
        super().__init__(id)
        self.lead_id: UUID | None = None

    def receive(
        self, campaign: Campaign, answer: Answer, lead_id: UUID, person_id: UUID, *, at: datetime
    ) -> None:
        """Raises ResponseExists, CampaignNotLaunched and ChannelNotPlanned."""
        if self.begun:
            raise ResponseExists
        campaign.refuse_unless_launched()
        if answer.channel not in campaign.channels:
            raise ChannelNotPlanned(answer.channel, campaign.channels)
        self.record(
            ResponseReceived(
                campaign_id=campaign.id, person_id=person_id, lead_id=lead_id, **asdict(answer)
            ),
            at=at,
        )

    @applies(ResponseReceived)
    def _received(self, event: ResponseReceived) -> None:
        self.lead_id = event.lead_id
