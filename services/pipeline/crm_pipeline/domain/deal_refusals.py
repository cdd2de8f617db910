"""How a deal stands, and what its status and its stages stand in the way of."""

from __future__ import annotations

from typing import ClassVar, Literal

from crm_events.contracts.pipeline import Stage
from crm_events.domain import DomainError

Status = Literal["new", "open", "won", "lost"]


class DealExists(DomainError):
    slug: ClassVar[str] = "deal-exists"

    def __init__(self) -> None:
        super().__init__("The deal has been opened already; advance or amend it instead.")


class DealClosed(DomainError):
    slug: ClassVar[str] = "deal-closed"

    def __init__(self, status: Status) -> None:
        super().__init__(f"The deal is {status}; reopen it first.")


class DealNotClosed(DomainError):
    slug: ClassVar[str] = "deal-not-closed"

    def __init__(self) -> None:
        super().__init__("The deal is open; only a won or lost deal can be reopened.")


class NotForward(DomainError):
    slug: ClassVar[str] = "not-forward"

    def __init__(self, stage: Stage) -> None:
        super().__init__(
            f"{stage.name} is not after the deal's stage; move it back, or name a later one."
        )


class NotBackward(DomainError):
    slug: ClassVar[str] = "not-backward"

    def __init__(self, stage: Stage) -> None:
        super().__init__(
            f"{stage.name} is not before the deal's stage; advance it, or name an earlier one."
        )
