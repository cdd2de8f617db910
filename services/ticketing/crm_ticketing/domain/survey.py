"""A survey of one ticket: who may answer it, until when, and what has become of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from crm_events.domain import DomainError

SurveyState = Literal["pending", "scored", "timed-out"]


class SurveyUnknown(DomainError):
    slug: ClassVar[str] = "survey-unknown"

    def __init__(self) -> None:
        super().__init__(
            "The ticket has no such survey; take the id from the survey that was sent."
        )


class SurveyRepeated(DomainError):
    slug: ClassVar[str] = "survey-repeated"

    def __init__(self, cycle: int) -> None:
        super().__init__(f"Resolution {cycle} has its survey or is no longer the latest one.")


class SurveyPending(DomainError):
    slug: ClassVar[str] = "survey-pending"

    def __init__(self) -> None:
        super().__init__(
            "The customer has not answered the survey of this resolution yet; "
            "close the ticket once it is answered or timed out."
        )


class SurveyLocked(DomainError):
    slug: ClassVar[str] = "survey-locked"

    def __init__(self, since: datetime) -> None:
        super().__init__(f"The answer has counted since {since.isoformat()}; it stays.")


class SurveyMissed(DomainError):
    slug: ClassVar[str] = "survey-timed-out"

    def __init__(self) -> None:
        super().__init__("The survey timed out before this answer; it takes none any more.")


class SurveyAnswered(DomainError):
    slug: ClassVar[str] = "survey-answered"

    def __init__(self) -> None:
        super().__init__("The survey is answered or timed out already.")


class ScoreRefused(DomainError):
    slug: ClassVar[str] = "score-refused"

    def __init__(self, score: int) -> None:
        super().__init__(f"{score} is no score; give 1, 2, 3, 4 or 5.")


@dataclass(frozen=True, slots=True)
class Survey:
    """A survey of resolution `cycle`; 0 where it was sent before any. Locked from `locks_at` on."""

    cycle: int
    state: SurveyState = "pending"
    score: int | None = None
    comment: str | None = None
    locks_at: datetime | None = None

    def refuse_score(self, score: int, at: datetime) -> None:
        """Raises ScoreRefused, SurveyMissed and SurveyLocked."""
        if not 1 <= score <= 5:
            raise ScoreRefused(score)
        if self.state == "timed-out":
            raise SurveyMissed
        if self.locks_at is not None and at >= self.locks_at:
            raise SurveyLocked(self.locks_at)

    def refuse_time_out(self) -> None:
        """Raises SurveyAnswered."""
        if self.state != "pending":
            raise SurveyAnswered
