"""Callers that wait for a writing thread: bounded in number and in time."""

from __future__ import annotations

import pytest
from crm_events.store.port import StoreUnavailable
from crm_events.store.turns import Inbox, Turn


def test_full_inbox_refuses_at_once() -> None:
    inbox: Inbox[int, int] = Inbox(limit=2)
    inbox.put(Turn(1))
    inbox.put(Turn(2))
    with pytest.raises(StoreUnavailable, match="Too many"):
        inbox.put(Turn(3))
    first = inbox.take()
    assert first is not None
    assert first.work == 1
    inbox.put(Turn(3))


def test_work_given_up_is_not_begun() -> None:
    """Its caller has been told that it is unknown; doing it later would surprise."""
    inbox: Inbox[int, int] = Inbox()
    late, patient = Turn[int, int](1), Turn[int, int](2)
    for turn in (late, patient):
        inbox.put(turn)
    with pytest.raises(StoreUnavailable, match="unknown"):
        late.wait(0.01)
    assert inbox.take() is patient
    assert inbox.take_now() is None


def test_closed_inbox_serves_who_waits_already() -> None:
    inbox: Inbox[int, int] = Inbox()
    waiting = Turn[int, int](1)
    inbox.put(waiting)
    inbox.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        inbox.put(Turn(2))
    assert inbox.take() is waiting
    assert [inbox.take(), inbox.take_now(), inbox.take()] == [None, None, None]


def test_outcome_reaches_the_caller() -> None:
    done, failed = Turn[int, str](1), Turn[int, str](2)
    done.succeed("positions")
    failed.fail(ValueError("refused"))
    assert done.wait(1) == "positions"
    with pytest.raises(ValueError, match="refused"):
        failed.wait(1)
