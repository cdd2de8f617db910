"""`python -m tests.bench.sealing`: seals one context's log every second, as its relay does."""

from __future__ import annotations

import asyncio
import sys
from typing import Final

from crm_events.store.open import open_recorder
from crm_service.auditing.desk import AuditDesk
from crm_service.auditing.keeping import AuditKeeper
from crm_service.following import together
from crm_service.settings import ServiceSettings, read_settings
from crm_service.working import Probes, run_worker

CONTEXT: Final = "contacts"


def main() -> int:
    settings = read_settings(ServiceSettings)
    assert settings.postgres is not None
    place = settings.postgres.get_secret_value()
    recorder = open_recorder(place, settings.namespace, CONTEXT)
    keeper = AuditKeeper(AuditDesk(CONTEXT, recorder, settings.audit_place()))

    async def work(stop: asyncio.Event) -> None:
        await together(stop, [keeper.run()])

    try:
        readiness = {"audit": keeper.ready}
        return run_worker(work, Probes(settings.host, settings.health_port, readiness))
    finally:
        recorder.close()


if __name__ == "__main__":
    sys.exit(main())
