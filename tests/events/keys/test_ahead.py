"""Ids that are drawn ahead have keys, are nobody else's, and few of them lie unused."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event
from uuid import UUID

import pytest
from crm_events.keys.ahead import MOST_AHEAD, NewSubjects
from crm_events.keys.port import KeysUnavailable
from crm_events.keys.sql import SqlKeys

from tests.events.keys.conftest import Opener
from tests.events.store.building import at_once
from tests.support.keys import KeysInMemory
from tests.support.waiting import wait_until


def test_key_is_durable_before_the_id_is_handed_out(opened: Opener) -> None:
    mine, theirs = opened(), opened()
    subjects = NewSubjects(mine)
    for subject in [subjects.one() for _ in range(10)]:
        assert theirs.find([subject]) == mine.ensure([subject])


def test_simultaneous_callers_never_share_an_id(keys: SqlKeys) -> None:
    subjects = NewSubjects(keys)
    drawn = at_once(*[partial(subjects.one) for _ in range(40)])
    assert len(set(drawn)) == 40


def test_never_more_lie_unused_than_were_handed_out() -> None:
    for used in (1, 2, 3, 7, 8, 100, 1_000):
        keys = Counting()
        subjects = NewSubjects(keys)
        for _ in range(used):
            subjects.one()
        assert keys.made - used <= min(used - 1, MOST_AHEAD)
    assert keys.requests < used / 32


def test_without_keys_nobody_new_is_told_of() -> None:
    keys = KeysInMemory()
    subjects = NewSubjects(keys)
    keys.reachable = False
    with pytest.raises(KeysUnavailable):
        subjects.one()
    keys.reachable = True
    assert keys.alive([subjects.one()])


def test_others_go_on_with_what_is_left_while_one_fills_up() -> None:
    keys = Hanging()
    keys.asked.set()
    subjects = NewSubjects(keys)
    for _ in range(MOST_AHEAD):
        subjects.one()
    keys.asked.clear()
    with ThreadPoolExecutor() as pool:
        while not keys.asked.is_set():
            slow = pool.submit(subjects.one)
            wait_until(lambda: slow.done() or keys.asked.is_set(), "an id")  # noqa: B023
        before = keys.requests
        others = {subjects.one() for _ in range(MOST_AHEAD // 4 - 1)}
        assert keys.requests == before
        keys.answering.set()
        assert slow.result() not in others


def test_who_has_an_id_does_not_fail_for_want_of_others() -> None:
    keys = KeysInMemory()
    subjects = NewSubjects(keys)
    subjects.one()
    subjects.one()
    keys.reachable = False
    subjects.one()
    with pytest.raises(KeysUnavailable):
        subjects.one()


def test_nobody_waits_behind_another_who_gets_no_key() -> None:
    keys = Hanging()
    subjects = NewSubjects(keys)
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(subjects.one)
        assert keys.asked.wait(5)
        quick = subjects.one()
        keys.answering.set()
        assert quick != slow.result()


class Hanging(KeysInMemory):
    """The first request hangs until it is let go; later ones are answered."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.answering = Event(), Event()
        self.requests = 0

    def begin(self, subjects: Collection[UUID]) -> None:
        self.requests += 1
        if not self.asked.is_set():
            self.asked.set()
            assert self.answering.wait(5)
        super().begin(subjects)


class Counting(KeysInMemory):
    """Remembers how many keys were asked for, and how often."""

    made = requests = 0

    def begin(self, subjects: Collection[UUID]) -> None:
        self.made += len(subjects)
        self.requests += 1
        super().begin(subjects)
