"""The views, one folder for each question a screen asks; this is the one table of them all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm_projections.columns.layout import Columnar
from crm_projections.engine.listing import Listed
from crm_projections.facts.instants import Reporting
from crm_projections.views.funnel.listing import UnitsView
from crm_projections.views.funnel.projector import FunnelView
from crm_projections.views.names.projector import NamesView
from crm_projections.views.retention.projector import RetentionView
from crm_projections.views.satisfaction.projector import SatisfactionView


def questions(reporting: Reporting) -> tuple[Columnar[Any], ...]:
    """Every view that can be asked, under the name of its definition."""
    return (FunnelView(reporting), SatisfactionView(reporting), RetentionView(reporting))


def lists(reporting: Reporting) -> Mapping[str, Listed[Any]]:
    """The lists behind a view's numbers, over the view's own tables, by their path below it."""
    return {"units": UnitsView(reporting)}


def names() -> NamesView:
    """The view that knows what ids are called."""
    return NamesView()
