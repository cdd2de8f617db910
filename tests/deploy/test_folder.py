from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path

import pytest
from crm_events.audit.keyfile import read_keys
from crm_servers import ServerUnavailable
from crm_servers.distributed.commands import copies_of
from crm_servers.distributed.folder import Folder

TEXT = "crm_0123456789ab_some-secret_text"


def test_secrets_stay_the_same(tmp_path: Path) -> None:
    before, after = Folder(tmp_path / "up" / "one"), Folder(tmp_path / "up" / "one")
    assert before.passwords() == after.passwords()
    assert len(set(before.passwords().values())) == 7
    assert before.ensure_master_key().read_bytes() == after.ensure_master_key().read_bytes()
    for one, other in zip(before.ensure_audit_keys(), after.ensure_audit_keys(), strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_checkpoints_are_checked_with_the_key_that_signs(tmp_path: Path) -> None:
    signing, checking = (read_keys(p) for p in Folder(tmp_path / "one").ensure_audit_keys())
    assert signing.signer is not None
    assert (checking.signer, checking.trusted) == (None, signing.trusted)


def test_the_master_key_has_32_bytes(tmp_path: Path) -> None:
    assert len(b64decode(Folder(tmp_path / "one").ensure_master_key().read_bytes())) == 32


def test_nobody_else_can_open_it(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "up" / "one")
    folder.passwords()
    folder.ensure_tokens(lambda _: f"shown once: {TEXT}\n")
    closed = [folder.path.parent, folder.path, folder.secrets, folder.logs]
    assert {path.stat().st_mode & 0o777 for path in closed} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in (folder.environment, folder.token)} == {0o600}


def test_each_token_is_made_once(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "one")
    folder.ensure_tokens(lambda _: f"{TEXT}\n")
    folder.ensure_tokens(lambda _: pytest.fail("a second token was made"))
    assert folder.token.read_text() == folder.projections_token.read_text() == TEXT


def test_projections_may_read_and_nothing_else(tmp_path: Path) -> None:
    asked: dict[str, list[str]] = {}

    def create(words: Sequence[str]) -> str:
        asked[words[2]] = [word for word in words if word.startswith("--right")]
        return TEXT

    Folder(tmp_path / "one").ensure_tokens(create)
    assert asked["projections"] == ["--right=read"]
    assert len(asked["make-up"]) == 3


def test_a_command_that_prints_no_token_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ServerUnavailable, match="printed no token but: sorry"):
        Folder(tmp_path / "one").ensure_tokens(lambda _: "sorry")


def test_copies_are_read() -> None:
    assert copies_of(["contacts-api=2", "pipeline-relay=3"]) == {
        "contacts-api": 2,
        "pipeline-relay": 3,
    }


@pytest.mark.parametrize("word", ["contacts-api", "contacts-api=0", "contacts-api=x", "nobody=2"])
def test_copies_that_make_no_sense_are_refused(word: str) -> None:
    with pytest.raises(ServerUnavailable, match="write ROLE=COPIES"):
        copies_of([word])
