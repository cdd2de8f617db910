"""The sample: one story for one seed, told once however often it is begun."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from crm_console.cli import sampling
from crm_console.home import Home
from crm_console.sample import cast
from crm_console.sample.plot import Size
from crm_console.settling import settle
from crm_console.transport import ServerUnreachable, Transport

from tests.console.homes import SMALL, TODAY, Crm, Faltering, heads, opened, tell

VIEWS = ("funnel", "satisfaction", "retention")


def totals(transport: Transport) -> Mapping[str, Any]:
    """What every view says in the end, and how much was written for it."""
    settle(transport)
    asked = {"as_of": TODAY.isoformat()}
    found = {
        name: transport.send("GET", f"/v1/views/{name}", query=asked)["totals"] for name in VIEWS
    }
    return {**found, "heads": heads(transport)}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """The totals of a sample that was told in one go."""
    with opened(Home(tmp_path_factory.mktemp("told") / "home")) as transport:
        assert tell(transport) == SMALL.steps
        return totals(transport)


def test_every_view_has_something_to_show(told: Mapping[str, Any]) -> None:
    funnel, satisfaction, retention = (told[name] for name in VIEWS)
    assert funnel["units"] >= SMALL.deals
    assert funnel["won"] > 0 < funnel["lost"]
    assert satisfaction["tickets"] == SMALL.tickets
    assert 0 < satisfaction["responses"] <= satisfaction["surveys_delivered"]
    assert satisfaction["survey_coverage"] <= 1
    assert retention["customers"] == SMALL.customers
    assert retention["orders"] > SMALL.customers


def test_interrupted_telling_goes_on_to_the_same_end(
    told: Mapping[str, Any], tmp_path: Path
) -> None:
    """The same seed and day tell the same in another home, also when begun three times."""
    with opened(Home(tmp_path / "home")) as transport:
        for most in (20, 90):
            commands = iter(range(most))

            def cut(path: str, left: Any = commands) -> Exception | None:
                written = not path.endswith("/position")
                return ServerUnreachable("cut") if written and next(left, None) is None else None

            with pytest.raises(ServerUnreachable):
                tell(Faltering(transport, cut))
        tell(transport)
        assert totals(transport) == told
        tell(transport)
        assert totals(transport) == told


def test_another_seed_tells_another_story(told: Mapping[str, Any], tmp_path: Path) -> None:
    with opened(Home(tmp_path / "home")) as transport:
        tell(transport, seed=8)
        other = totals(transport)
    assert other["retention"]["customers"] == told["retention"]["customers"]
    assert other["retention"]["revenue"] != told["retention"]["revenue"]


def test_a_home_remembers_the_day_of_its_sample(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    assert not home.sample_is_half_told()
    assert home.sample_told_on(TODAY) == TODAY
    assert home.sample_is_half_told()
    assert home.sample_told_on(TODAY + timedelta(days=30)) == TODAY
    home.sample_is_told()
    assert not home.sample_is_half_told()
    assert home.sample_told_on(TODAY + timedelta(days=30)) == TODAY


def test_told_later_it_is_still_the_story_of_that_day(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with opened(home) as transport:
        sampling.tell(transport, home, size=SMALL)
        before = heads(transport)
        assert not home.sample_is_half_told()
        sampling.tell(transport, home, size=SMALL)
        assert heads(transport) == before


def test_the_command_fills_a_new_home(tmp_path: Path) -> None:
    crm = Crm.on(Home(tmp_path / "home"))
    done = crm("sample")
    assert (done.code, done.out, done.err) == (0, "", "The sample is loaded.\n")
    found = crm.view("funnel", "--by", "owner")
    assert found["parameters"]["currency"] == "EUR"
    assert found["totals"]["units"] >= Size().deals
    assert {group["name"] for group in found["groups"]} <= {*cast.SELLERS, None}
