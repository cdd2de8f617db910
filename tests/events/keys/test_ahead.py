"""Ids that are drawn ahead have keys, are nobody else's, and few of them lie unused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
        assert keys.made - used < min(used + 1, MOST_AHEAD)
    assert keys.requests < used / 32


def test_without_keys_nobody_new_is_told_of() -> None:
    keys = KeysInMemory()
    subjects = NewSubjects(keys)
    keys.reachable = False
    with pytest.raises(KeysUnavailable):
        subjects.one()
    keys.reachable = True
    assert keys.alive([subjects.one()])


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

    def ensure(self, subjects: Iterable[UUID]) -> Mapping[UUID, bytes]:
        if not self.asked.is_set():
            self.asked.set()
            assert self.answering.wait(5)
        return super().ensure(subjects)


class Counting(KeysInMemory):
    """Remembers how many keys were asked for, and how often."""

    made = requests = 0

    def ensure(self, subjects: Iterable[UUID]) -> Mapping[UUID, bytes]:
        every = list(subjects)
        self.made += len(every)
        self.requests += 1
        return super().ensure(every)
