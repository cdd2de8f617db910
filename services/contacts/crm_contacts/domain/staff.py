"""A member of staff: who owns leads and deals, and in which team and region."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from crm_events.contracts.contacts import StaffChanged, StaffRegistered
from crm_events.domain import DomainError, applies
from crm_events.event import Staff

from crm_contacts.domain.erasure import Erasable


class StaffExists(DomainError):
    slug: ClassVar[str] = "staff-exists"

    def __init__(self) -> None:
        super().__init__("This member of staff is registered already; change the record instead.")


class OwnManager(DomainError):
    slug: ClassVar[str] = "own-manager"

    def __init__(self) -> None:
        super().__init__("Nobody is their own manager; name another one, or none.")


@dataclass(frozen=True, slots=True)
class StaffFacts:
    """The whole record of a member of staff."""

    name: str | None
    team: str | None = None
    manager_id: UUID | None = None
    region: str | None = None


class StaffMember(Erasable):
    """One member of staff. A stub was named by an import before its own record came."""

    def __init__(self, id: UUID) -> None:
        super().__init__(id)
        self.facts = StaffFacts(None)
        self.stub = False

    def register(self, facts: StaffFacts, *, stub: bool = False, at: datetime) -> None:
        """Raises StaffExists and OwnManager."""
        if self.begun:
            raise StaffExists
        self._check(facts)
        self.record(StaffRegistered(**asdict(facts), stub=stub), at=at)

    def change(self, facts: StaffFacts, *, at: datetime) -> None:
        """The whole record from now on; nothing happens when it says nothing new.

        Raises OwnManager and SubjectIsErased.
        """
        self.refuse_erased()
        self._check(facts)
        if facts != self.facts or self.stub:
            self.record(StaffChanged(**asdict(facts)), at=at)

    def as_of_now(self) -> Staff:
        """The member as events name an owner, for good."""
        facts = self.facts
        return Staff(id=self.id, team=facts.team, manager_id=facts.manager_id, region=facts.region)

    def _check(self, facts: StaffFacts) -> None:
        if facts.manager_id == self.id:
            raise OwnManager

    @applies(StaffRegistered)
    def _registered(self, event: StaffRegistered) -> None:
        self._is_now(event)
        self.stub = event.stub

    @applies(StaffChanged)
    def _changed(self, event: StaffChanged) -> None:
        self._is_now(event)
        self.stub = False

    def _is_now(self, event: StaffRegistered | StaffChanged) -> None:
        self.facts = StaffFacts(event.name, event.team, event.manager_id, event.region)
