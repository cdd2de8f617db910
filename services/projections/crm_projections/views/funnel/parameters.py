"""What the funnel can be asked."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from crm_projections.engine.parameters import ViewParameters

Mode = Literal["cohort", "snapshot", "flow", "trend"]
By = Literal["owner", "manager", "team", "region", "product", "source", "sector", "campaign"]


class FunnelParameters(ViewParameters):
    """`cohort` follows units that entered in the period; `snapshot` says where units stand;
    `flow` counts the moves of the period; `trend` what became of each day's entries to a stage."""

    mode: Mode = "cohort"
    by: By | None = None
    pipeline: str | None = Field(None, description="Key of a pipeline, or `leads`")
    stage: str | None = Field(None, description="Of a trend: key of the stage, else the first")
    currency: str | None = Field(None, description="Only amounts in this currency are summed")
    failure: Literal["complement", "strict"] = Field(
        "strict", description="失败率: 1 - conversion, or lost / reached"
    )
