"""Key databases by their address; the master key that goes with them; what erasing leaves."""

from __future__ import annotations

import stat
from contextlib import closing
from pathlib import Path

import pytest
from crm_events.ids import new_id
from crm_events.keys.master import MasterKeyMissing, make_master_key, read_master_key
from crm_events.keys.open import migrate_keys, open_keys
from crm_events.keys.port import KeysUnavailable
from crm_events.keys.sqlite import SqliteKeyTable
from crm_servers import PostgresServer

from tests.events.store.building import at_once


def test_embedded_keys_make_what_they_need(tmp_path: Path) -> None:
    home = (tmp_path / "keys.db", "crm", tmp_path / "master")
    subject = new_id()
    with closing(open_keys(*home)) as keys:
        made = keys.ensure([subject])
    with closing(open_keys(*home)) as keys:
        assert keys.find([subject]) == made
    assert stat.S_IMODE((tmp_path / "master").stat().st_mode) == 0o600


def test_lost_master_key_is_not_replaced(tmp_path: Path) -> None:
    home = (tmp_path / "keys.db", "crm", tmp_path / "master")
    with closing(open_keys(*home)) as keys:
        keys.ensure([new_id()])
    (tmp_path / "master").unlink()
    with pytest.raises(MasterKeyMissing, match="backup"):
        open_keys(*home)
    assert not (tmp_path / "master").exists()


def test_master_key_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "master"
    at_once(*[lambda: make_master_key(path)] * 8)
    text = path.read_text()
    make_master_key(path)
    assert path.read_text() == text
    assert [each.name for each in tmp_path.iterdir()] == ["master"]


@pytest.mark.parametrize("text", ["", "short", "x" * 44, "€"])
def test_file_that_is_no_master_key_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "master"
    path.write_text(text)
    with pytest.raises(MasterKeyMissing, match=r"master key"):
        read_master_key(path)


def test_postgres_needs_a_master_key_given(postgres_dsn: str, tmp_path: Path) -> None:
    """Services that each made their own could not read each other's keys."""
    with pytest.raises(MasterKeyMissing):
        open_keys(postgres_dsn, "crm", tmp_path / "master")


def test_postgres_without_tables_names_the_remedy(postgres_dsn: str, master_file: Path) -> None:
    with closing(open_keys(postgres_dsn, "nothing", master_file)) as keys:
        assert not keys.schema_current()
        with pytest.raises(KeysUnavailable, match="migration"):
            keys.find([new_id()])


def test_postgres_keys_come_back_after_an_outage(
    own_postgres: PostgresServer, namespace: str, master_file: Path
) -> None:
    migrate_keys(own_postgres.dsn, namespace)
    with closing(open_keys(own_postgres.dsn, namespace, master_file)) as keys:
        before, unknown = new_id(), new_id()
        made = keys.ensure([before])
        own_postgres.kill()
        assert keys.find([before]) == made
        with pytest.raises(KeysUnavailable):
            keys.ensure([unknown])
        own_postgres.restart()
        assert keys.ensure([unknown]).keys() == {unknown}


def test_destroyed_key_leaves_no_trace_in_the_files(tmp_path: Path, master_file: Path) -> None:
    """Neither in the database nor in its write-ahead log."""
    subject = new_id()
    with closing(open_keys(tmp_path / "keys.db", "crm", master_file)) as keys:
        keys.ensure([subject, *[new_id() for _ in range(50)]])
        with closing(SqliteKeyTable(tmp_path / "keys.db")) as table:
            wrapped = table.read([subject])[subject]
        assert wrapped is not None
        assert _files_holding(tmp_path, wrapped)
        keys.erase(subject)
        assert not _files_holding(tmp_path, wrapped)


def _files_holding(folder: Path, secret: bytes) -> list[str]:
    return [path.name for path in folder.glob("keys.db*") if secret in path.read_bytes()]
