"""What retention can be asked."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from crm_projections.engine.parameters import ViewParameters

Mode = Literal["classic", "unbounded"]
By = Literal["source", "region", "segment"]
Every = Annotated[str, StringConstraints(pattern=r"^(month|[1-9][0-9]{0,3}d)$")]


class RetentionParameters(ViewParameters):
    """`classic` counts who ordered in the interval, `unbounded` who ordered in it or later."""

    mode: Mode = "classic"
    by: By | None = None
    every: Every = Field(
        "month", description="Calendar months, or rolling days after the first order such as 30d"
    )
    active_days: int = Field(
        90, ge=1, le=3650, description="A customer is active for so many days after an order"
    )
    currency: str | None = Field(None, description="Only amounts in this currency are summed")

    @property
    def rolling_days(self) -> int | None:
        """The length of a rolling interval; None for calendar months."""
        return None if self.every == "month" else int(self.every.removesuffix("d"))
