"""A log of a few hundred events with holes in its positions, sealed in several batches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from crm_events.audit.keyfile import AuditKeys, make_key, read_keys
from crm_events.audit.log import AuditLog
from crm_events.audit.open import audit_log
from crm_events.store.port import EventRecorder

from tests.events.audit.sealing import Desk
from tests.events.store.conftest import forms, opened, place, recorder

__all__ = ["form", "opened", "place", "recorder"]

form = forms("sqlite", "postgres")


@pytest.fixture
def keys(tmp_path: Path) -> AuditKeys:
    make_key(tmp_path / "audit.key")
    return read_keys(tmp_path / "audit.key")


@pytest.fixture
def log(recorder: EventRecorder) -> AuditLog:
    return audit_log(recorder)


@pytest.fixture
def desk(recorder: EventRecorder, keys: AuditKeys) -> Desk:
    return Desk(recorder, keys)


@pytest.fixture
def another(opened: Callable[[], EventRecorder], keys: AuditKeys) -> Callable[[], Desk]:
    """The same store, as another process has it."""
    return lambda: Desk(opened(), keys)
