"""A store that comes back from a backup while topics and views have seen more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Final

import httpx
import psycopg
from aiokafka.admin import AIOKafkaAdminClient
from crm_events.catalogue import events_topic, marks_topic
from psycopg import sql

from tests.faults.ground import Ground
from tests.faults.journal import Journal
from tests.faults.trial import Outcome, Trial, told, trial
from tests.support.processes import Processes
from tests.support.waiting import wait_until

NAME: Final = "restored-store"
CONTEXTS: Final = ("contacts", "pipeline")
WRITERS: Final = [f"{context}-{part}" for context in CONTEXTS for part in ("api", "relay", "react")]
_SECONDS: Final = 90.0
_RATE: Final = 25.0
_LIVE, _BACKUP = "restored_stores", "restored_backup"


def run(place: Ground, seed: int, *, long: bool) -> Outcome:
    """Relays and views tell that it is another log and refuse; after what the runbook says, all is
    well. What was acknowledged after the backup is lost with the store, and left out here."""
    with _database(place) as stores:
        # A tree that went back does not fit what left; that is told, and is not tried here.
        more = {"CRM_POSTGRES": stores, "CRM_TEST_VIEWS": place.postgres.dsn}
        more["CRM_AUDIT_CHECKPOINTS"] = ""
        views = {"CRM_POSTGRES": place.postgres.dsn}
        with trial(place, NAME, seed, roles=WRITERS, contexts=CONTEXTS, more=more) as ours:
            ours.deployment.add("projections-views", views)
            _flow(ours, 300 if long else 60)
            _away(ours, lambda: _copy(place, _LIVE, _BACKUP))
            _doomed(ours)
            _away(ours, lambda: _copy(place, _BACKUP, _LIVE), reacting=False)
            _refused(ours)
            _mended(ours, views)
            _flow(ours, 60)
            return ours.judged(NAME)


@contextmanager
def _database(place: Ground) -> Iterator[str]:
    try:
        yield place.postgres.create_database(_LIVE)
    finally:
        for name in (_LIVE, _BACKUP):
            place.postgres.drop_database(name)


def _flow(ours: Trial, operations: int) -> None:
    with ours.arriving(_RATE):
        ours.wait_for_more(operations)
    ours.rest("the flow")


def _away(ours: Trial, work: Callable[[], None], *, reacting: bool = True) -> None:
    """Nobody writes meanwhile; afterwards reactions stay away where they would read a topic that
    is of another log."""
    for name in WRITERS:
        ours.deployment.halt(name)
    work()
    for name in WRITERS:
        if reacting or not name.endswith("-react"):
            ours.deployment.begin(name)


def _copy(place: Ground, source: str, target: str) -> None:
    place.postgres.drop_database(target)
    copying = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    with psycopg.connect(place.postgres.dsn, autocommit=True) as connection:
        connection.execute(copying.format(sql.Identifier(target), sql.Identifier(source)))


def _doomed(ours: Trial) -> None:
    """What is done between the backup and its return; published and seen, then gone."""
    kept = ours.journal
    file = ours.deployment.folder / "doomed.jsonl"
    ours.deployment.wait_ready()
    with closing(Journal(file, ours.deployment.door, ours.deployment.by)) as doomed:
        ours.journal = ours.world.journal = doomed
        _flow(ours, 80)
        ours.figures["lost_with_the_store"] = doomed.acknowledged()
    ours.journal = ours.world.journal = kept


def _refused(ours: Trial) -> None:
    """Every relay says why it does not publish, and the views that they wait for a rebuild."""
    for context in CONTEXTS:
        role = f"{context}-relay"
        told_so = lambda r=role: "TopicAhead" in _readiness(ours, r)  # noqa: E731
        wait_until(told_so, f"{role} refuses the topic", _SECONDS)
    told("the relays refuse a topic that is ahead of their store")
    asyncio.run(_delete_topics(ours))
    for context in CONTEXTS:
        role = f"{context}-relay"
        ours.deployment.wait_ready(role)
        ours.deployment.begin(f"{context}-react")
    stopped = lambda: "restored" in _readiness(ours, "projections-views")  # noqa: E731
    with ours.arriving(_RATE):  # what was taken is missed once the log has come as far again
        wait_until(stopped, "the views refuse a log that is another one", _SECONDS)
    told("the views refuse a log without what they have taken")


def _readiness(ours: Trial, name: str) -> str:
    try:
        return httpx.get(f"{ours.deployment.roles[name].address}/readyz", timeout=5).text
    except httpx.TransportError:
        return ""


async def _delete_topics(ours: Trial) -> None:
    namespace = ours.deployment.namespace
    topics = [name(namespace, c) for c in CONTEXTS for name in (events_topic, marks_topic)]
    admin = AIOKafkaAdminClient(bootstrap_servers=ours.deployment.straight_kafka)
    await admin.start()
    try:
        await admin.delete_topics(topics)
    finally:
        await admin.close()


def _mended(ours: Trial, views: dict[str, str]) -> None:
    """As the runbook says: views are computed anew, and their projection is begun again."""
    told_all = {**ours.deployment.told, **views}
    Processes(ours.deployment.folder, told_all).done("projections", "rebuild")
    ours.deployment.halt("projections-views")
    ours.deployment.begin("projections-views")
    ours.rest("the rebuild")
    told("rebuilt, and well")
