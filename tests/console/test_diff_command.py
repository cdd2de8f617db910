"""`crm diff`: sums and what is worked out from them, before and after."""

from __future__ import annotations

import csv
import io

import pytest

from tests.console.homes import Crm
from tests.console.test_view_command import table_of

DAYS = ("2026-05-15", "2026-06-29")


@pytest.mark.parametrize("view", ["funnel", "satisfaction", "retention"])
def test_figures_before_and_after_are_those_of_the_view(crm: Crm, view: str) -> None:
    told = crm("diff", *DAYS, view, "-o", "json").json
    then, now = (crm.view(view, "--as-of", day)["totals"] for day in DAYS)
    ratios = [each for each in told["derived"] if not isinstance(now[each["figure"]], dict)]
    assert ratios
    for each in ratios:
        assert (each["before"], each["after"]) == (then[each["figure"]], now[each["figure"]])
    rows = list(csv.DictReader(io.StringIO(crm("diff", *DAYS, view, "-o", "csv").out)))
    assert len(rows) == len(told["figures"]) + len(told["derived"])
    shown = table_of(crm("diff", *DAYS, view, "-o", "table").out)
    assert shown[0] == ["figure", "before", "after", "difference"]
    assert [line[0] for line in shown[1:]] == [each["figure"] for each in told["derived"]]
