"""Schemas come up by themselves on SQLite and by the job on PostgreSQL, several at once too."""

from __future__ import annotations

import psycopg
import pytest
from crm_events.ids import new_id
from crm_events.keys.schema import SCRIPTS as KEY_SCRIPTS
from crm_events.sql.migrating import Scripts
from crm_events.sql.names import BadName, schema_name
from crm_events.store.open import migrate, open_recorder
from crm_events.store.schema import SCRIPTS

from tests.events.store.building import append, event, program, whole_log


@pytest.mark.parametrize("scripts", [SCRIPTS, KEY_SCRIPTS], ids=["store", "keys"])
def test_head_is_the_newest_script(scripts: Scripts) -> None:
    assert scripts.newest() == scripts.head


def test_processes_that_start_together_all_succeed(place: str, namespace: str) -> None:
    programs = [program("migrate", place, namespace) for _ in range(3)]
    for each in programs:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    answers = [each.communicate("now\n", timeout=60) for each in programs]
    assert answers == [("True 0\n", "")] * 3


def test_migrating_again_keeps_what_is_there(place: str, namespace: str) -> None:
    for written in (1, 2):
        if place.startswith("postgresql"):
            migrate(place, namespace, "contacts")
        recorder = open_recorder(place, namespace, "contacts")
        append(recorder, [event(new_id(), 1)])
        assert len(whole_log(recorder)) == written
        recorder.close()


def test_contexts_and_deployments_share_nothing(postgres_dsn: str, namespace: str) -> None:
    owners = [(namespace, "contacts"), (namespace, "pipeline"), (f"{namespace}2", "contacts")]
    for owner in owners:
        migrate(postgres_dsn, *owner)
    recorders = [open_recorder(postgres_dsn, *owner) for owner in owners]
    lead = new_id()
    assert [append(each, [event(lead, 1)]) for each in recorders] == [[1], [1], [1]]
    assert recorders[0].lead() is not None
    assert recorders[1].lead() is not None
    for each in recorders:
        each.close()


def test_schema_ahead_of_the_program_still_fits(postgres_dsn: str, namespace: str) -> None:
    """Replicas of the old version go on while the job has already been run for the new one."""
    migrate(postgres_dsn, namespace, "contacts")
    recorder = open_recorder(postgres_dsn, namespace, "contacts")
    for version, fits in (("9999", True), ("0000", False)):
        with psycopg.connect(postgres_dsn) as connection:
            connection.execute(
                f'UPDATE "{schema_name(namespace, "contacts")}".schema_version '
                f"SET version_num = '{version}'"
            )
        assert recorder.schema_current() is fits
    recorder.close()


@pytest.mark.parametrize("name", ["", "Crm", "a-b", 'a"b', "1a", "a" * 32])
def test_name_that_cannot_be_a_schema_is_refused(name: str) -> None:
    with pytest.raises(BadName, match="lower-case"):
        schema_name(name, "contacts")
