"""The commands about staff."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from crm_events.application import Outcome, Saving
from crm_events.ids import new_id
from crm_events.store.mapper import Cause

from crm_contacts.application.directory import Directory
from crm_contacts.domain.staff import StaffFacts, StaffMember


class Staffing(Directory):
    """Who works here, in which team and region, under whom."""

    def register_staff(self, cause: Cause, facts: StaffFacts) -> Outcome:
        def register() -> Saving:
            self.refuse_unknown_staff(facts.manager_id)
            member = StaffMember(new_id())
            member.register(facts, at=cause.at)
            return self.named(member)

        return self.execute(cause, register)

    def change_staff(
        self, cause: Cause, id: UUID, changes: Mapping[str, Any], expected: int | None = None
    ) -> Outcome:
        """`changes` are fields of `StaffFacts`; those not named stay."""

        def change(member: StaffMember) -> Saving:
            self.refuse_unknown_staff(changes.get("manager_id"))
            member.change(replace(member.facts, **changes), at=cause.at)
            return self.named(member)

        return self.change(cause, StaffMember, id, change, expected)
