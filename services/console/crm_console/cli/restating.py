"""A restatement list as tables, JSON or CSV."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from crm_console.cli.figures import shown
from crm_console.cli.opening import print_events
from crm_console.cli.output import Output, print_csv, print_json, say, table

_FIGURE: Final = ("figure", "row", "before", "after", "difference", "events")
_NAMED: Final = ("figure", "row", "published", "today", "difference", "events since")
_CHANGE: Final = ("before", "after", "difference")


def print_restated(answer: Mapping[str, Any], how: Output) -> None:
    """Figures that would be the same are left out of tables."""
    if how is Output.JSON:
        print_json(answer)
        return
    figures = [f for f in answer["figures"] if f["events"] or f["before"] != f["after"]]
    derived = [each for each in answer["derived"] if each["before"] != each["after"]]
    if how is Output.CSV:
        print_csv([*figures, *derived], _FIGURE)
        return
    if not (figures or derived):
        say("Nothing would be different: no event recorded since has changed what was published.")
        return
    table("restated", _NAMED, [[each.get(name) for name in _FIGURE] for each in figures])
    rows = [[d["figure"], *(shown(d["figure"], d[name]) for name in _CHANGE)] for d in derived]
    table("", ("figure", "published", "today", "difference"), rows)
    print_events("recorded since", answer)
