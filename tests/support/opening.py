"""A number of a view opened into the events behind it, without an API."""

from __future__ import annotations

from typing import Any

from crm_projections.api.opening import why_parameters
from crm_projections.engine.evidence import Evidence, Figure
from crm_projections.engine.view import Cut
from sqlalchemy import Connection

from tests.support.viewing import Viewing


def sums_of(viewing: Viewing, connection: Connection, cut: Cut, **asked: Any) -> Any:
    """The sums of the view that can be opened, as of `cut`."""
    view: Any = viewing.view
    parameters = why_parameters(view.parameters).model_validate({**asked, "figure": "-"})
    return view.sums(connection, viewing.tables, cut, parameters)


def behind(viewing: Viewing, figure: Figure, cut: Cut, **asked: Any) -> Evidence:
    """The events behind one of them."""
    with viewing.engine.connect() as connection:
        sums = sums_of(viewing, connection, cut, **asked)
        found: Evidence = sums.summed(figure).behind(connection, cut)
    return found
