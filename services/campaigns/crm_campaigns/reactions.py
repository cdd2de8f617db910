"""What contacts tells campaigns: who works here, and may own a campaign."""

from __future__ import annotations

from typing import Final

from crm_events.contracts.contacts import (
    StaffChanged,
    StaffRegistered,
    StaffWithdrawn,
    SubjectErased,
)
from crm_events.feed.reactor import Reactions
from crm_service.erasing.forgetting import forget_subject
from crm_service.staff import forget_staff, remember_staff

REACTIONS: Final = Reactions(
    name="campaigns.reactions",
    table={
        StaffRegistered: remember_staff,
        StaffChanged: remember_staff,
        StaffWithdrawn: forget_staff,
        SubjectErased: forget_subject,
    },
)
