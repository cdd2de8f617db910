"""Timers are a context's own: they fire while the broker is away."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from crm_events.clock import utc_now
from crm_events.ids import new_id
from crm_events.store.open import open_recorder
from crm_events.store.port import Beside, Timer
from crm_servers.ports import free_port

from tests.support.processes import Processes, master_key_in
from tests.support.waiting import wait_until


def test_timers_fire_while_no_broker_answers(
    tmp_path: Path, postgres_database: str, namespace: str
) -> None:
    told = {
        "CRM_NAMESPACE": namespace,
        "CRM_KAFKA": f"127.0.0.1:{free_port()}",
        "CRM_POSTGRES": postgres_database,
        "CRM_KEYS": postgres_database,
        "CRM_MASTER_KEY_FILE": str(master_key_in(tmp_path)),
    }
    processes = Processes(tmp_path, told)
    processes.done("ticketing", "migrate")
    recorder = open_recorder(postgres_database, namespace, "ticketing")
    overdue = Timer(new_id(), "survey-timeout", new_id(), utc_now() - timedelta(hours=1))
    recorder.insert_events([], beside=Beside(timers=(overdue,)))
    try:
        processes.up("ticketing", "react", probe="livez")
        wait_until(lambda: recorder.next_due() is None, "the overdue timer fired")
    finally:
        recorder.close()
        processes.close()
