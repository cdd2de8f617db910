"""What satisfaction can be asked."""

from __future__ import annotations

from typing import Literal

from crm_projections.engine.parameters import ViewParameters

By = Literal["agent", "team", "category", "channel", "week", "month"]


class SatisfactionParameters(ViewParameters):
    """The period takes tickets by their opening and surveys by their delivery."""

    by: By | None = None
