from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from crm_service.tokens import TokenFile, TokensUnreadable, UnknownToken

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def tokens(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "home" / "tokens.json")


def test_created_token_is_found_by_its_text(tokens: TokenFile) -> None:
    token, text = tokens.create("Anna", ["read", "write"], NOON)
    assert tokens.find(text) == token
    assert (token.name, token.rights, token.created_at) == ("Anna", ("read", "write"), NOON)


def test_new_token_may_stand_for_same_principal(tokens: TokenFile) -> None:
    first, _ = tokens.create("Anna", ["read"], NOON)
    second, text = tokens.create("Anna", ["read"], NOON, principal=first.principal)
    tokens.revoke(first.id)
    found = tokens.find(text)
    assert found is not None
    assert found.principal == first.principal == second.principal


def test_text_of_token_rests_nowhere(tokens: TokenFile) -> None:
    _, text = tokens.create("Anna", ["read"], NOON)
    assert text.split("_", 2)[2] not in tokens.path.read_text()
    assert len(text.split("_", 2)[2]) == 43  # 256 bits


def test_file_is_for_its_owner_alone(tokens: TokenFile) -> None:
    tokens.create("Anna", ["read"], NOON)
    assert tokens.path.stat().st_mode & 0o777 == 0o600
    tokens.create("Bert", ["read"], NOON)
    assert tokens.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "change", ["", "x", "_", "crm_", "crm__", "{text}x", "{other}", "CRM{text}"]
)
def test_other_texts_find_nobody(tokens: TokenFile, change: str) -> None:
    first, text = tokens.create("Anna", ["read"], NOON)
    _, other = tokens.create("Bert", ["read"], NOON)
    mixed = f"crm_{first.id}_{other.split('_', 2)[2]}"
    assert tokens.find(change.format(text=text, other=mixed)) is None


def test_change_by_another_process_is_seen(tokens: TokenFile) -> None:
    token, text = tokens.create("Anna", ["read"], NOON)
    assert tokens.find(text) is not None
    TokenFile(tokens.path).revoke(token.id)
    assert tokens.find(text) is None
    tokens.path.unlink()
    assert tokens.read() == ()


def test_unknown_token_cannot_be_revoked(tokens: TokenFile) -> None:
    tokens.create("Anna", ["read"], NOON)
    before = tokens.path.read_bytes()
    with pytest.raises(UnknownToken, match="crm token list"):
        tokens.revoke("000000000000")
    assert tokens.path.read_bytes() == before


def test_unknown_right_is_refused(tokens: TokenFile) -> None:
    with pytest.raises(ValueError, match="rights"):
        tokens.create("Anna", ["wirte"], NOON)  # type: ignore[list-item]
    assert not tokens.path.exists()


@pytest.mark.parametrize("content", ["", "[]", '{"version": 2}', '{"tokens": [{"id": "x"}]}'])
def test_other_content_is_refused_not_overwritten(tokens: TokenFile, content: str) -> None:
    tokens.path.parent.mkdir()
    tokens.path.write_text(content)
    with pytest.raises(TokensUnreadable, match=r"tokens\.json"):
        tokens.create("Anna", ["read"], NOON)
    with pytest.raises(TokensUnreadable):
        tokens.find("crm_000000000000_x")
    assert tokens.path.read_text() == content


def test_writers_at_once_lose_no_token(tokens: TokenFile) -> None:
    def create(number: int) -> str:
        return TokenFile(tokens.path).create(f"user {number}", ["read"], NOON)[0].id

    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(create, range(24)))
    stored = json.loads(tokens.path.read_text())["tokens"]
    assert {entry["id"] for entry in stored} == made
    assert list(tokens.path.parent.glob("tokens.json?*")) == [
        tokens.path.with_name("tokens.json.lock")
    ]
