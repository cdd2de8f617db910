"""Relay and projection behind a link of their own, which goes down: packets are lost."""

from __future__ import annotations

import time
from typing import Final

from crm_servers.dsn import url_of
from crm_servers.ports import LOOPBACK, free_port
from psycopg.conninfo import conninfo_to_dict

from tests.faults.ground import Ground
from tests.faults.namespaces import Namespace, namespace
from tests.faults.settling import beside, settled
from tests.faults.trial import Outcome, Trial, told, trial

NAME: Final = "links-down"
CONTEXTS: Final = ("contacts", "pipeline")
BEHIND: Final = ("pipeline-relay", "projections-views")
SHORT, LONG = 1, 6
_LASTS: Final = 5.0
_WELL: Final = 60.0


def run(place: Ground, seed: int, *, long: bool) -> Outcome:
    """Commands do not notice; what is behind the link goes on by itself when it is up again."""
    postgres = free_port()
    ports = {name: free_port() for name in BEHIND}
    servers = {
        postgres: int(str(conninfo_to_dict(place.postgres.dsn)["port"])),
        place.doors["VIEWS"]: place.ports["VIEWS"],
    }
    roles = [f"{context}-{part}" for context in CONTEXTS for part in ("api", "react")]
    roles += ["contacts-relay", "projections-api"]
    with (
        namespace(servers, list(ports.values())) as inside,
        trial(place, NAME, seed, roles=roles, contexts=CONTEXTS) as ours,
    ):
        dsn = url_of({**conninfo_to_dict(place.postgres.dsn), "port": postgres})
        more = {
            "CRM_POSTGRES": dsn,
            "CRM_KEYS": dsn,
            "CRM_KAFKA": f"{LOOPBACK}:{place.doors['VIEWS']}",
        }
        for name, port in ports.items():
            ours.deployment.add(name, more, port, inside.prefix)
        ours.deployment.wait_ready()
        for _ in range(LONG if long else SHORT):
            _cut(ours, inside)
        ours.rest("all cuts")
        return ours.judged(NAME)


def _cut(ours: Trial, inside: Namespace) -> None:
    ours.journal.remark("the link goes down")
    with ours.arriving(20.0):
        ours.wait_for_more(20)
        with inside.down():
            ours.last_for(_LASTS)
        up = time.monotonic()
        ours.wait_for_more(20)
    ours.resolve()
    with beside(ours.deployment) as opened:
        ours.healings += settled(opened, "a link that was down", _WELL)
    well = round(time.monotonic() - up, 2)
    ours.figures["cuts"] = ours.figures.get("cuts", 0) + 1
    slowest = max(well, ours.figures.get("slowest_recovery_seconds", 0.0))
    ours.figures["slowest_recovery_seconds"] = slowest
    told(f"the link is up again, all well after {well} s")
