"""Sealing on demand takes in all that was stored when it was asked for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from crm_events.audit.keyfile import make_key, public_pem, read_keys
from crm_events.audit.notary import BATCH
from crm_events.ids import new_id
from crm_events.store.port import EventRecorder
from crm_events.store.postgres import PostgresRecorder
from crm_service.auditing.desk import AuditDesk, AuditPlace
from crm_service.auditing.keeping import AuditKeeper
from crm_service.auditing.sealing import seal

from tests.events.store.building import append, event
from tests.events.store.by_hand import by_hand
from tests.events.store.conftest import forms, opened, place, postgres_store, recorder, schema
from tests.support.waiting import wait_until

__all__ = ["form", "opened", "place", "postgres_store", "recorder", "schema"]

form = forms("sqlite", "postgres")


@pytest.fixture
def told(tmp_path: Path) -> AuditPlace:
    make_key(tmp_path / "audit.key")
    return AuditPlace(tmp_path / "audit.key", "test", str(tmp_path / "outside"))


def _write(recorder: EventRecorder, count: int) -> None:
    append(recorder, [event(new_id(), 1) for _ in range(count)])


def test_one_call_seals_all_that_was_stored_since(
    recorder: EventRecorder, told: AuditPlace
) -> None:
    desk = AuditDesk("contacts", recorder, told)
    _write(recorder, 1)
    assert seal(desk, None) == 1
    _write(recorder, BATCH + 1)
    assert seal(desk, None, seconds=600) == desk.log.head().position == BATCH + 2
    assert desk.log.staying(10) == []


def test_a_part_ends_soon_and_is_gone_on_with(recorder: EventRecorder, told: AuditPlace) -> None:
    desk = AuditDesk("contacts", recorder, told)
    _write(recorder, BATCH + 1)
    wanted = seal(desk, None, seconds=0)
    _write(recorder, 1)
    assert (wanted, desk.log.head().position) == (BATCH + 1, BATCH)
    assert seal(desk, wanted, seconds=0) == wanted
    assert desk.log.head().position >= wanted


def test_what_lies_behind_a_hole_is_waited_for(
    postgres_dsn: str, schema: str, postgres_store: PostgresRecorder, told: AuditPlace
) -> None:
    desk = AuditDesk("contacts", postgres_store, told)
    with by_hand(postgres_dsn, schema) as slow, ThreadPoolExecutor(1) as own:
        _write(postgres_store, 2)
        slow.append()
        _write(postgres_store, 2)
        sealing = own.submit(seal, desk, None, 600)
        wait_until(lambda: desk.log.head().position == 2, "what is complete is sealed")
        slow.commit()
        assert sealing.result(30) == 5
    assert desk.log.head().size == 5


def test_who_holds_no_key_has_all_of_it_sealed_by_another(
    recorder: EventRecorder, told: AuditPlace, tmp_path: Path
) -> None:
    holder = AuditKeeper(AuditDesk("contacts", recorder, replace(told, seconds=3_600.0)))
    public = tmp_path / "audit.pub"
    public.write_text(public_pem(read_keys(tmp_path / "audit.key").trusted[0]))
    asking = AuditDesk("contacts", recorder, replace(told, key_file=public))
    _write(recorder, BATCH + 1)
    with ThreadPoolExecutor(1) as own:
        sealing = own.submit(seal, asking, None, 600)
        wait_until(lambda: asking.log.asked() == BATCH + 1, "it asks for all that is stored")
        holder.turn()
        assert sealing.result(30) == BATCH + 1
    assert asking.log.head().size == BATCH + 1
