"""The lifecycle of a customer (客户生命周期), the same for people and organisations.

Won deals and orders move it. A deal and the orders that name it are one purchase, whichever is
heard of first: the first purchase makes 签约客户 and then 最终用户, the next one 再次购买.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Final, get_args
from uuid import UUID

from crm_events.contracts.contacts import (
    CustomerKind,
    LifecyclePhase,
    LifecyclePhaseEntered,
    OrganisationRegistered,
    PersonRegistered,
)
from crm_events.domain import DomainError, applies

from crm_contacts.domain.erasure import Erasable

PHASES: Final[tuple[LifecyclePhase, ...]] = get_args(LifecyclePhase)


class PhaseNotAhead(DomainError):
    """Phases are only ever moved forward; from the last one there is nowhere to go."""

    slug: ClassVar[str] = "phase-not-ahead"

    def __init__(self, now: LifecyclePhase) -> None:
        later = ", ".join(PHASES[PHASES.index(now) + 1 :])
        remedy = f"name a later one ({later})" if later else "which is the last"
        super().__init__(f"The customer is in the phase {now!r}; {remedy}.")


class Customer(Erasable):
    """What people and organisations have in common."""

    customer_kind: CustomerKind

    def __init__(self, id: UUID) -> None:
        super().__init__(id)
        self.phase: LifecyclePhase | None = None
        self._purchases: set[UUID] = set()

    def enter_phase(self, phase: LifecyclePhase, *, at: datetime) -> None:
        """Move forward, over phases if need be. Raises PhaseNotAhead."""
        if self.phase is not None and not self._is_ahead(phase):
            raise PhaseNotAhead(self.phase)
        self._enter(phase, None, at)

    def become_prospect(self, *, at: datetime) -> None:
        """Nothing happens to whoever has been in any phase before."""
        if self.phase is None:
            self._enter("prospect", None, at)

    def sign(self, purchase_id: UUID, *, at: datetime) -> None:
        """A deal was won: 签约客户, or 再次购买 when it is not the first purchase."""
        if self._is_ahead("signed"):
            self._enter("signed", purchase_id, at)
        else:
            self._buy_again(purchase_id, at)

    def take_delivery(self, purchase_id: UUID, *, at: datetime) -> None:
        """An order was placed: 最终用户, or 再次购买 when it is not of the first purchase."""
        if self._is_ahead("end_user"):
            self._enter("end_user", purchase_id, at)
        else:
            self._buy_again(purchase_id, at)

    def _buy_again(self, purchase_id: UUID, at: datetime) -> None:
        if self.phase != "repeat" and purchase_id not in self._purchases:
            self._enter("repeat", purchase_id, at)

    def _is_ahead(self, phase: LifecyclePhase) -> bool:
        return self.phase is None or PHASES.index(phase) > PHASES.index(self.phase)

    def _enter(self, phase: LifecyclePhase, purchase_id: UUID | None, at: datetime) -> None:
        self.record(
            LifecyclePhaseEntered(
                customer_kind=self.customer_kind,
                phase=phase,
                previous=self.phase,
                purchase_id=purchase_id,
            ),
            at=at,
        )

    @applies(LifecyclePhaseEntered)
    def _entered(self, event: LifecyclePhaseEntered) -> None:
        self.phase = event.phase
        if event.purchase_id is not None:
            self._purchases.add(event.purchase_id)


class AnyCustomer(Customer):
    """A customer of whom only the id is known, as deals and orders name them."""

    @applies(PersonRegistered)
    def _person(self, _: PersonRegistered) -> None:
        self.customer_kind = "person"

    @applies(OrganisationRegistered)
    def _organisation(self, _: OrganisationRegistered) -> None:
        self.customer_kind = "organisation"
