"""Ids: time-ordered for what is made online, repeatable with the secret for what is imported."""

from __future__ import annotations

from uuid import RFC_4122, UUID

from crm_events.ids import derived_id, new_id
from hypothesis import given
from hypothesis import strategies as st

SECRET = b"a secret of the tests, of 32 byte"
_PART = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)


def test_derived_id_is_the_same_for_ever() -> None:
    assert derived_id(SECRET, "file", "deals", "0") == UUID("b9527134-da36-87b4-a343-aebf58b3877c")
    assert derived_id(SECRET, "Kunden.csv", "customer", "客户 7") == UUID(
        "9e2fffb2-d814-8735-8ec1-5650d745e597"
    )


@given(_PART, _PART, _PART)
def test_derived_id_is_a_valid_uuid_of_version_8(source: str, kind: str, key: str) -> None:
    id = derived_id(SECRET, source, kind, key)
    assert (id.version, id.variant) == (8, RFC_4122)
    assert derived_id(SECRET, source, kind, key) == id


@given(st.tuples(_PART, _PART, _PART), st.tuples(_PART, _PART, _PART))
def test_other_parts_have_another_id(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    assert (derived_id(SECRET, *one) == derived_id(SECRET, *other)) == (one == other)


def test_parts_do_not_run_together() -> None:
    assert derived_id(SECRET, "ab", "c", "d") != derived_id(SECRET, "a", "bc", "d")
    assert derived_id(SECRET, "a", "b", "") != derived_id(SECRET, "a", "", "b")


@given(st.binary(min_size=1, max_size=40), st.binary(min_size=1, max_size=40))
def test_another_secret_makes_another_id(one: bytes, other: bytes) -> None:
    ids = {derived_id(secret, "file", "customer", "mei@example.com") for secret in (one, other)}
    # HMAC fills a short key up with zeros: secrets that differ in those alone are one.
    assert len(ids) == len({one.ljust(64, b"\0"), other.ljust(64, b"\0")})


def test_new_ids_are_in_order_of_time() -> None:
    ids = [new_id() for _ in range(1_000)]
    assert {id.version for id in ids} == {7}
    assert {id.variant for id in ids} == {RFC_4122}
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert {type(id) for id in ids} == {UUID}
