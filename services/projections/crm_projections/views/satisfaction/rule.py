"""What makes an answer count, and count as satisfied."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from crm_projections.engine.supposing import Policy
from crm_projections.facts.instants import DAY


class SurveyRule(Policy):
    """Without any key it is the rule in force: scores of 4 and 5, the last answer taken in."""

    satisfied_from: int = Field(4, ge=1, le=5, description="This score or a higher one")
    dissatisfied_upto: int = Field(2, ge=0, le=5, description="This score or a lower one")
    answer: Literal["last", "first"] = Field("last", description="Which one of a survey counts")
    lock_days: int | None = Field(
        None,
        ge=0,
        le=3650,
        description="Answers so long after the first change nothing; absent: as they were taken in",
    )

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.dissatisfied_upto >= self.satisfied_from:
            raise ValueError("dissatisfied_upto must be below satisfied_from")
        return self

    @property
    def drops_answers(self) -> bool:
        return self.answer == "first" or self.lock_days is not None

    def drops(self, first: int, later: int) -> bool:
        """Whether a later answer changes nothing, by the instants of both."""
        if self.answer == "first":
            return True
        return self.lock_days is not None and later - first >= self.lock_days * DAY
