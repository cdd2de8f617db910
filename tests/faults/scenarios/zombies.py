"""A projector that is frozen in the middle of its work, replaced by another, and thaws."""

from __future__ import annotations

import signal
from contextlib import ExitStack, suppress
from functools import partial
from typing import Final

import httpx
from crm_servers.dsn import url_of
from prometheus_client.parser import text_string_to_metric_families
from psycopg.conninfo import conninfo_to_dict

from tests.faults.ground import Ground
from tests.faults.proxy import WEATHERS, Proxy, proxied
from tests.faults.settling import Beside, beside
from tests.faults.trial import Outcome, Trial, told, trial
from tests.support.waiting import wait_until

NAME: Final = "frozen-projector"
CONTEXTS: Final = ("contacts", "pipeline")
FIRST, SECOND = "projections-views", "projections-views-2"
SHORT, LONG = 1, 5
"""Thaws with a late write on its way; a freeze between two batches has none, and is tried again."""
_TIMES: Final = 3
"""As many times as that, at most, it is frozen for each."""
_RATE: Final = 25.0
_TAKEN_OVER: Final = 60.0
_LATE: Final = 20.0


def run(place: Ground, seed: int, *, long: bool) -> Outcome:
    """What the zombie sends is held on its way to PostgreSQL until another has taken its lanes, and
    then let through: a write that comes too late, every time."""
    roles = [f"{context}-{part}" for context in CONTEXTS for part in ("api", "relay", "react")]
    port = int(str(conninfo_to_dict(place.postgres.dsn)["port"]))
    with ExitStack() as stack:
        ours = stack.enter_context(trial(place, NAME, seed, roles=roles, contexts=CONTEXTS))
        proxy = stack.enter_context(proxied(port))
        dsn = url_of({**conninfo_to_dict(place.postgres.dsn), "port": proxy.port})
        ours.deployment.add(FIRST, {"CRM_POSTGRES": dsn, "CRM_INSTANCE": "first"})
        ours.deployment.wait_ready()
        wanted = LONG if long else SHORT
        for _ in range(wanted * _TIMES):
            if ours.figures.get("thaws_refused", 0) < wanted:
                _freeze(ours, proxy)
        ours.rest("the thawing")
        return ours.judged(NAME)


def _freeze(ours: Trial, proxy: Proxy) -> None:
    with ours.arriving(_RATE), beside(ours.deployment) as opened:
        ours.wait_for_more(30)
        fenced = _fenced(ours)
        proxy.become(WEATHERS["no way up"])
        ours.wait_for_more(30)  # by now it holds a batch that it cannot write
        ours.deployment.signal(FIRST, signal.SIGSTOP)
        ours.deployment.add(SECOND, {"CRM_INSTANCE": "second"})
        head = opened.recorders["pipeline"].safe_position()
        wait_until(partial(_past, opened, head), "the other took its lanes", _TAKEN_OVER)
        with proxy.during(WEATHERS["no way up"]):
            ours.deployment.signal(FIRST, signal.SIGCONT)
        ours.wait_for_more(60)
    with suppress(AssertionError):  # it may have held nothing; that nothing was doubled is I2's
        wait_until(lambda: _fenced(ours) > fenced, "a late write was refused", _LATE)
    refused = _fenced(ours) - fenced
    ours.figures["frozen"] = ours.figures.get("frozen", 0) + 1
    ours.figures["late_writes_refused"] = ours.figures.get("late_writes_refused", 0) + refused
    thaws = ours.figures.get("thaws_refused", 0) + int(refused > 0)
    ours.figures["thaws_refused"] = thaws
    told(f"thawed: {refused:.0f} late writes were refused")
    ours.deployment.halt(SECOND)
    del ours.deployment.roles[SECOND]


def _past(opened: Beside, head: int) -> bool:
    return opened.view_reached("funnel", "pipeline") >= head


def _fenced(ours: Trial) -> float:
    """How many writes of the first one were refused by comparison."""
    text = httpx.get(f"{ours.deployment.roles[FIRST].address}/metrics", timeout=10).text
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "crm_view_cas_failures_total"
    )
