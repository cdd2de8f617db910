"""A job waits for a database that comes up later, and for none that never will."""

from __future__ import annotations

import psycopg
import pytest
from crm_events.keys.open import migrate_keys
from crm_events.sql.reaching import OutOfReach, once_reached
from crm_servers.ports import LOOPBACK, free_port
from structlog.testing import capture_logs


class Late:
    """Out of reach for the first tries; each says why."""

    def __init__(self, *reasons: str) -> None:
        self.reasons = list(reasons)
        self.done = 0

    def __call__(self) -> None:
        if self.reasons:
            raise psycopg.OperationalError(self.reasons.pop(0))
        self.done += 1


def test_what_comes_up_later_is_waited_for_with_one_line() -> None:
    work = Late("name does not resolve", "connection refused")
    with capture_logs() as said:
        once_reached(work, patience=20.0)
    assert work.done == 1
    assert [line["event"] for line in said] == ["waits_for_database"]


def test_what_never_answers_is_given_up_with_the_names_to_look_at() -> None:
    nowhere = f"postgresql://crm@{LOOPBACK}:{free_port()}/crm"
    with pytest.raises(OutOfReach, match=r"for 0.1 s; see CRM_POSTGRES and CRM_KEYS"):
        once_reached(lambda: migrate_keys(nowhere, "crm"), patience=0.1)


def test_a_password_that_is_refused_is_said_at_once() -> None:
    work = Late('FATAL:  password authentication failed for user "crm"')
    with pytest.raises(OutOfReach, match="made with another one"):
        once_reached(work)
    assert not work.done
