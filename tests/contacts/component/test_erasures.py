"""Erasing somebody over HTTP: what stays, what goes, and what a restore brings back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import UUID

from crm_contacts.application.erasures import Erasures
from crm_events.contracts.contacts import SubjectErased
from crm_events.keys.master import read_master_key
from crm_service.hosting import Storage

from tests.contacts import erasing
from tests.support.contexts import Running


async def test_nothing_is_legible_and_no_byte_is_rewritten(contacts: Running) -> None:
    await erasing.leaves_nothing_legible_and_all_bytes(contacts)


async def test_whatever_is_said_of_the_erased_is_refused(contacts: Running) -> None:
    await erasing.refuses_whatever_is_said_of_the_erased(contacts)


async def test_second_erasure_is_refused_and_a_repeat_answered(contacts: Running) -> None:
    _, person = await erasing.converted(contacts)
    said = await erasing.statement(contacts, person)
    body = {"reason": "objection", "reference": "DSR-17", "statement": said}
    path = f"/erasures/{person}:erase"
    first = await contacts.post(path, body, idempotency_key="k")
    again = await contacts.post(path, body, idempotency_key="k")
    assert again.json() == first.json()
    other = await contacts.post(path, body)
    assert (other.status_code, other.json()["type"]) == (409, "/problems/erased-already")
    assert sum(isinstance(event, SubjectErased) for event in contacts.events()) == 1
    kept = (await contacts.client.get(f"/v1/contacts/erasures/{person}")).json()
    assert (kept["reason"], kept["reference"]) == ("objection", "DSR-17")
    assert kept["statement"] == said


async def test_statement_about_somebody_else_is_refused(contacts: Running) -> None:
    lead, person = await erasing.converted(contacts)
    body = {"reason": "request", "statement": await erasing.statement(contacts, person)}
    assert (await contacts.post(f"/erasures/{lead}:erase", body)).status_code == 400
    free = {**body, "reference": "Kanari Nachname asked"}
    assert (await contacts.post(f"/erasures/{person}:erase", free)).status_code == 422
    assert (await erasing.holding(contacts, person))["legible"] == 6


async def test_keys_that_a_restore_brings_back_are_destroyed_again(
    contacts: Running, storage: Storage, tmp_path: Path
) -> None:
    _, person = await erasing.converted(contacts)
    _, alive = await erasing.converted(contacts)
    erasures = Erasures(contacts.context.app, storage.keys)  # type: ignore[arg-type]
    await erasing.erase(contacts, person)
    assert erasures.reapply() == []
    _bring_back(tmp_path, UUID(person))
    assert (await erasing.holding(contacts, person))["legible"] == 6
    answer = await contacts.post("/keys:reapply")
    assert answer.json() == {"subjects": [person], "erased": 1}
    assert (await erasing.holding(contacts, person))["legible"] == 0
    assert (await erasing.holding(contacts, alive))["legible"] == 6


def _bring_back(folder: Path, subject: UUID) -> None:
    """A key where the tombstone was, as an older copy of the key database has it."""
    wrapped = read_master_key(folder / "master.key").wrap({subject: bytes(32)})[subject]
    with closing(sqlite3.connect(folder / "keys.db")) as connection:
        connection.execute(
            "UPDATE subject_keys SET wrapped = ?, erased_at = NULL WHERE subject = ?",
            (wrapped, subject.bytes),
        )
        connection.commit()
