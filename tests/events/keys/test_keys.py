"""Keys are made once, found again, destroyed for good, and never stored as they are."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from crm_events.clock import utc_now
from crm_events.ids import new_id
from crm_events.keys.cache import KeyCache
from crm_events.keys.master import make_master_key, read_master_key
from crm_events.keys.port import ERASED, KeysUnavailable, SubjectErased, SubjectKeys
from crm_events.keys.sql import KeyTable, SqlKeys
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.events.keys.conftest import Opener
from tests.events.store.building import at_once
from tests.support.until import until


def test_key_stays_the_same(opened: Opener) -> None:
    subjects = [new_id() for _ in range(3)]
    made = opened().ensure(subjects)
    assert {len(key) for key in made.values()} == {32}
    assert len(set(made.values())) == 3
    again = opened()
    assert again.find(subjects) == made
    assert again.ensure(subjects) == made


def test_table_tells_whose_keys_are_the_inserted_ones(
    new_table: Callable[[], KeyTable],
) -> None:
    first, second = new_id(), new_id()
    with closing(new_table()) as table:
        assert table.insert({first: b"one"}) == {first}
        assert table.insert({first: b"another", second: b"two"}) == {second}
        assert table.read([first, second]) == {first: b"one", second: b"two"}


def test_unknown_subject_is_absent(keys: SqlKeys) -> None:
    known, unknown = new_id(), new_id()
    made = keys.ensure([known])
    assert keys.find([known, unknown]) == made
    assert keys.find([]) == {}
    assert keys.ensure([]) == {}


def test_simultaneous_makers_get_the_same_key(opened: Opener) -> None:
    makers = [opened() for _ in range(3)]
    for _ in range(10):
        subjects = [new_id() for _ in range(4)]
        answers = at_once(*[partial(each.ensure, subjects) for each in makers for _ in range(3)])
        assert answers == [answers[0]] * 9


def test_many_keys_are_made_in_one_request(keys: SqlKeys) -> None:
    subjects = [new_id() for _ in range(2_000)]
    made = keys.ensure(subjects)
    assert made.keys() == set(subjects)
    assert keys.find(subjects) == made


def test_erased_subject_is_never_given_a_key_again(opened: Opener) -> None:
    keys, erased, other = opened(), new_id(), new_id()
    made = keys.ensure([erased, other])
    before = utc_now()
    keys.erase(erased, reason="ticket 4711")
    for each in (keys, opened()):
        assert each.find([erased, other]) == {erased: ERASED, other: made[other]}
        with pytest.raises(SubjectErased) as refused:
            each.ensure([other, erased])
        assert refused.value.subject == erased
        tombstone = each.tombstone(erased)
        assert tombstone is not None
        assert tombstone.reason == "ticket 4711"
        assert abs(tombstone.erased_at - before) < timedelta(seconds=60)
        assert each.tombstone(other) is None


def test_erasing_again_changes_nothing(keys: SqlKeys) -> None:
    subject = new_id()
    keys.ensure([subject])
    keys.erase(subject, reason="first")
    tombstone = keys.tombstone(subject)
    keys.erase(subject, reason="second")
    assert keys.tombstone(subject) == tombstone


def test_unknown_subject_can_be_erased(opened: Opener) -> None:
    """As after a restore to a day before its key was made."""
    subject = new_id()
    opened().erase(subject)
    with pytest.raises(SubjectErased):
        opened().ensure([subject])


def test_erasure_elsewhere_is_obeyed_within_five_minutes(
    new_table: Callable[[], KeyTable], master_file: Path
) -> None:
    now = 0.0
    master, subject = read_master_key(master_file), new_id()
    cache = KeyCache(lifetime=86_400, monotonic=lambda: now)
    with closing(SqlKeys(new_table(), master, cache)) as here:
        made = here.ensure([subject])
        with closing(SqlKeys(new_table(), master)) as elsewhere:
            elsewhere.erase(subject)
        now = 299
        assert here.find([subject]) == made
        now = 300
        assert here.find([subject]) == {subject: ERASED}
        with pytest.raises(SubjectErased):
            here.ensure([subject])


def test_ciphers_seal_under_the_keys_and_are_gone_with_them(opened: Opener) -> None:
    keys, subject, nonce = opened(), new_id(), bytes(12)
    cipher = keys.ciphers([subject])[subject]
    same = AESGCM(keys.ensure([subject])[subject])
    assert same.decrypt(nonce, cipher.encrypt(nonce, b"Li Na", None), None) == b"Li Na"
    keys.erase(subject)
    with pytest.raises(SubjectErased):
        keys.ciphers([subject])


def test_cipher_is_kept_until_its_key_is_erased_or_replaced() -> None:
    cache, subject, key = KeyCache(), new_id(), bytes(range(32))
    cache.keep({subject: key})
    kept = cache.ciphers({subject: key})[subject]
    assert cache.ciphers({subject: key})[subject] is kept
    assert cache.ciphers({subject: bytes(32)})[subject] is not kept
    cache.keep({subject: ERASED})
    late = cache.ciphers({subject: key})[subject]
    assert late is not kept
    assert cache.ciphers({subject: key})[subject] is not late


def test_another_master_key_opens_nothing(
    opened: Opener, new_table: Callable[[], KeyTable], tmp_path: Path
) -> None:
    """It is an outage, not an erasure: nobody is shown blanks."""
    subject = new_id()
    opened().ensure([subject])
    make_master_key(tmp_path / "other")
    with closing(SqlKeys(new_table(), read_master_key(tmp_path / "other"))) as keys:
        for ask in (keys.find, keys.ensure):
            with pytest.raises(KeysUnavailable, match="another master key"):
                ask([subject])


def test_key_moved_to_another_subject_does_not_open(
    opened: Opener, new_table: Callable[[], KeyTable]
) -> None:
    subject, thief = new_id(), new_id()
    opened().ensure([subject])
    with closing(new_table()) as table:
        wrapped = table.read([subject])[subject]
        assert wrapped is not None
        table.insert({thief: wrapped})
    with pytest.raises(KeysUnavailable):
        opened().find([thief])


def test_stored_key_is_wrapped(keys: SqlKeys, new_table: Callable[[], KeyTable]) -> None:
    subject = new_id()
    key = keys.ensure([subject])[subject]
    with closing(new_table()) as table:
        wrapped = table.read([subject])[subject]
    assert wrapped is not None
    assert key not in wrapped


def test_one_refused_subject_does_not_harm_the_others(keys: SqlKeys) -> None:
    erased = new_id()
    keys.erase(erased)
    outcomes = at_once(
        *[partial(keys.ensure, [new_id()]) for _ in range(5)], partial(keys.ensure, [erased])
    )
    assert [type(outcome).__name__ for outcome in outcomes] == ["dict"] * 5 + ["SubjectErased"]


def test_closed_database_is_an_outage(keys: SqlKeys) -> None:
    port: SubjectKeys = keys
    keys.close()
    for ask in (port.find, port.ensure):
        with pytest.raises(KeysUnavailable):
            ask([new_id()])
    with pytest.raises(KeysUnavailable):
        port.erase(new_id())


def test_schema_fits(keys: SqlKeys) -> None:
    assert keys.schema_current()


async def test_erasure_of_another_process_is_heard_of_while_the_key_is_cached(
    opened: Opener,
) -> None:
    mine, theirs = opened(), opened()
    subject, other = new_id(), new_id()
    key = mine.ensure([subject, other])[other]
    theirs.erase(subject)
    await until(lambda: mine.find([subject])[subject] is ERASED)
    with pytest.raises(SubjectErased):
        mine.ensure([subject])
    assert mine.find([other]) == {other: key}
