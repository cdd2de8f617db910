"""Names as people write them, and the keys under which they are found again."""

from __future__ import annotations

import unicodedata

import pytest
from crm_events.names import folded, name_key
from hypothesis import given
from hypothesis import strategies as st

SECRET = b"a secret of the tests, of 32 byte"
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("GTXPro", "GTX Pro"),
        ("GTX Pro", "gtx  pro"),
        ("GTX Pro", " GTX\u00a0Pro\t"),
        ("GTX Pro", "ＧＴＸ　Ｐｒｏ"),
        ("GTX Pro", "\ufeffGTX\u200bPro"),
        ("北京（华信）", "北京(华信)"),
        ("第①期", "第1期"),
        ("ｶﾒﾗ", "カメラ"),
        ("STRASSE", "Straße"),
        ("Café", "Cafe\u0301"),
        ("CO\u00adOPERATION", "cooperation"),
        ("Ǆungla", "ǆungla"),
    ],
)
def test_one_name_written_differently_is_one(one: str, other: str) -> None:
    assert folded(one) == folded(other)
    assert name_key(SECRET, "product", one) == name_key(SECRET, "product", other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("GTX Pro", "GTX Plus"),
        ("GTX-Pro", "GTX Pro"),
        ("华信", "華信"),
        ("Cafe", "Café"),
        ("1", "l"),
    ],
)
def test_different_names_stay_apart(one: str, other: str) -> None:
    assert folded(one) != folded(other)
    assert name_key(SECRET, "product", one) != name_key(SECRET, "product", other)


@given(_TEXT)
def test_folding_again_changes_nothing(name: str) -> None:
    assert folded(folded(name)) == folded(name)
    assert unicodedata.is_normalized("NFKC", folded(name))


@given(_TEXT, st.sampled_from([" ", "\u3000", "\u200b", "\ufeff", "\n"]))
def test_spaces_do_not_count_anywhere(name: str, space: str) -> None:
    assert folded(f"{space}x{space}{name}{space}") == folded(f"x{name}")


def test_key_depends_on_the_secret_and_the_kind() -> None:
    keys = {
        name_key(SECRET, "staff", "Mei Lin"),
        name_key(SECRET, "person", "Mei Lin"),
        name_key(b"another secret of the tests, of 3", "staff", "Mei Lin"),
    }
    assert len(keys) == 3


def test_key_is_the_same_for_ever() -> None:
    key = name_key(SECRET, "staff", "Mei Lin")
    assert key.hex() == "dee39cfb5b97aa3f869ca5f9f662e903"
    assert b"mei" not in key.lower()
