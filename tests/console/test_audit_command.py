"""`crm audit`: what was sealed is checked, what left is compared, one event is proven."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from crm_console.home import Home
from crm_console.transport import OverHttp
from crm_events.audit.keyfile import make_key, public_pem, read_keys
from crm_events.ids import new_id

from tests.console.homes import CONTEXTS, Crm, opened, serving, settings, tell
from tests.support.shelf import Shelf, served

RESET = (
    "DELETE FROM audit_tiles",
    "DELETE FROM audit_checkpoints",
    "UPDATE audit_head SET size = 0, position = 0, checkpoints = 0, peaks = x''",
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed home, and beside it in `left` the checkpoints that left it."""
    folder = tmp_path_factory.mktemp("archive")
    told = settings(audit_checkpoints=str(folder / "left"), audit_seconds=0.2)
    with serving(Home(folder / "home"), told) as address, OverHttp(address) as transport:
        tell(transport)
        for context in CONTEXTS:
            transport.send("POST", f"/v1/{context}/audit:seal")
    return folder


@pytest.fixture
def home(archive: Path, tmp_path: Path) -> Home:
    """A copy that a test may tamper with."""
    shutil.copytree(archive / "home", tmp_path / "home")
    return Home(tmp_path / "home")


@pytest.fixture
def crm(home: Home) -> Crm:
    """A home that seals only when told to."""
    return Crm.on(home, CRM_AUDIT_SECONDS="3600")


@contextmanager
def database(home: Home, context: str = "pipeline") -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(home.store(context), isolation_level=None)) as connection:
        yield connection


def verdicts(out: str) -> dict[str, Any]:
    return {verdict["context"]: verdict for verdict in json.loads(out)}


def test_what_nobody_touched_is_right_and_fits_what_left(crm: Crm, archive: Path) -> None:
    done = crm("audit", "verify", "--against", archive / "left")
    assert done.code == 0, done.err
    for verdict in verdicts(done.out).values():
        assert (verdict["result"], verdict["unsealed"]) == ("right", 0)
        assert verdict["checked"] > 0
        assert verdict["compared"] == verdict["checkpoints"]


def test_change_is_found_at_its_position(crm: Crm, home: Home) -> None:
    with database(home) as connection:
        connection.execute("UPDATE events SET actor = 'local:mallory' WHERE position = 17")
    done = crm("audit", "verify", "pipeline")
    assert done.code == 3
    found = verdicts(done.out)["pipeline"]
    assert (found["result"], found["first_bad_position"], found["kind"]) == ("wrong", 17, "altered")


def test_history_written_anew_is_found_by_what_left(crm: Crm, home: Home, archive: Path) -> None:
    """Whoever holds the database and the key can make everything fit, but for what left."""
    with database(home) as connection:
        connection.execute("UPDATE events SET actor = 'local:mallory' WHERE position = 17")
        for statement in RESET:
            connection.execute(statement)
    assert crm("audit", "seal", "pipeline").code == 0
    assert crm("audit", "verify", "pipeline").code == 0
    done = crm("audit", "verify", "pipeline", "--against", archive / "left")
    found = verdicts(done.out)["pipeline"]
    assert (done.code, found["kind"]) == (3, "rewritten")
    assert found["first_bad_position"] <= 17 <= found["upto"]


def _cut(home: Home) -> int:
    """The last five events gone, and what was sealed with them; answers where the log had ended."""
    with database(home) as connection:
        last: int = connection.execute("SELECT max(position) FROM events").fetchone()[0]
        connection.execute("DELETE FROM events WHERE position > ?", [last - 5])
        for statement in RESET:
            connection.execute(statement)
    return last


def test_cut_tail_is_found_by_what_left(crm: Crm, home: Home, archive: Path) -> None:
    last = _cut(home)
    assert crm("audit", "seal", "pipeline").code == 0
    done = crm("audit", "verify", "pipeline", "--against", archive / "left")
    assert (done.code, verdicts(done.out)["pipeline"]["first_bad_position"]) == (3, last - 4)


def test_cut_tail_is_found_by_what_left_over_http(tmp_path: Path) -> None:
    shelf, home = Shelf(tmp_path / "shelf"), Home(tmp_path / "home")
    with served(shelf) as port:
        told = settings(audit_checkpoints=f"http://127.0.0.1:{port}", audit_seconds=3_600)
        with serving(home, told) as address, OverHttp(address) as transport:
            tell(transport)
            for context in CONTEXTS:
                assert transport.send("POST", f"/v1/{context}/audit:seal")["staying"] == 0
    crm = Crm.on(home, CRM_AUDIT_SECONDS="3600")
    assert crm("audit", "verify", "--against", shelf.folder).code == 0
    last = _cut(home)
    assert crm("audit", "seal", "pipeline").code == 0
    assert crm("audit", "verify", "pipeline").code == 0
    done = crm("audit", "verify", "pipeline", "--against", shelf.folder)
    assert (done.code, verdicts(done.out)["pipeline"]["first_bad_position"]) == (3, last - 4)


def _proof(crm: Crm, home: Home, tmp_path: Path) -> Path:
    with database(home) as connection:
        row = connection.execute("SELECT event_id FROM events WHERE position = 20").fetchone()
    done = crm("audit", "prove", str(UUID(bytes=row[0])))
    assert done.code == 0, done.err
    (tmp_path / "proof.json").write_text(done.out)
    return tmp_path / "proof.json"


def test_proof_is_checked_without_home_or_server(crm: Crm, home: Home, tmp_path: Path) -> None:
    proof, nowhere = _proof(crm, home, tmp_path), Crm(("--home", str(tmp_path / "nowhere")))
    public = tmp_path / "auditor.pub"
    public.write_text(crm("audit", "key").out)
    done = nowhere("audit", "check-proof", proof, "--key", public)
    assert done.code == 0, done.err
    assert done.json[0]["position"] == "20"
    pem = tmp_path / "auditor.pem"
    pem.write_text(public_pem(read_keys(home.audit_key).trusted[0]))
    assert nowhere("audit", "check-proof", proof, "--key", pem).code == 0
    assert not (tmp_path / "nowhere").exists()


def _other(value: Any) -> Any:
    """Of the same kind."""
    if isinstance(value, list):
        return value[::-1]
    if isinstance(value, int):
        return value + 1
    at = value.index("\n") + 1 if "\n" in value else 40
    return value[:at] + ("1" if value[at] != "1" else "2") + value[at + 1 :]


@pytest.mark.parametrize("name", ["entry", "hashes", "index", "checkpoint"])
def test_changed_proof_proves_nothing(name: str, crm: Crm, home: Home, tmp_path: Path) -> None:
    proof = _proof(crm, home, tmp_path)
    document = json.loads(proof.read_text())
    document[name] = _other(document[name])
    proof.write_text(json.dumps(document))
    done = crm("audit", "check-proof", proof)
    assert (done.code, done.out) == (3, "")


def test_key_of_somebody_else_does_not_sign(crm: Crm, home: Home, tmp_path: Path) -> None:
    make_key(tmp_path / "other.key")
    proof = _proof(crm, home, tmp_path)
    done = crm("audit", "check-proof", proof, "--key", tmp_path / "other.key")
    assert (done.code, "No key that is trusted signed" in done.err) == (3, True)


def _checkpoints(archive: Path) -> list[Path]:
    """Of the pipeline's log, the smallest first."""
    return sorted((archive / "left").rglob("pipeline/*.txt"))


@pytest.fixture
def grown(crm: Crm, home: Home, archive: Path) -> tuple[Path, str, str]:
    """The first checkpoint that left, its size and that of the log today, which has more."""
    kept = _checkpoints(archive)[0]
    with opened(home) as transport:
        transport.send("POST", "/v1/pipeline/products", body={"name": "Later"})
    assert crm("audit", "seal", "pipeline").code == 0
    new = crm("audit", "seal", "pipeline").json[0]["sealed"]
    return kept, str(int(kept.stem)), str(new)


def test_who_kept_a_checkpoint_sees_that_the_log_only_grew(
    crm: Crm, grown: tuple[Path, str, str], tmp_path: Path
) -> None:
    kept, old, new = grown
    assert int(new) > int(old)
    public, proof = tmp_path / "auditor.pub", tmp_path / "grew.json"
    public.write_text(crm("audit", "key").out)
    proof.write_text(crm("audit", "prove", "pipeline", "--between", old, new).out)
    nowhere = Crm(("--home", str(tmp_path / "nowhere")))
    done = nowhere("audit", "check-proof", proof, "--key", public, "--against", kept)
    assert done.code == 0, done.err
    assert (done.json[0]["events_before"], done.json[0]["events_in_log"]) == (int(old), int(new))
    for name in ("hashes", "old_checkpoint", "checkpoint"):
        document = json.loads(proof.read_text())
        document[name] = _other(document[name])
        (tmp_path / "changed.json").write_text(json.dumps(document))
        done = nowhere("audit", "check-proof", tmp_path / "changed.json", "--key", public)
        assert (done.code, done.out) == (3, ""), name


def test_a_log_that_was_written_anew_did_not_grow(
    crm: Crm, home: Home, grown: tuple[Path, str, str], tmp_path: Path
) -> None:
    """By who holds database and key: it fits in itself, and not what was kept."""
    kept, old, _ = grown
    with database(home) as connection:
        connection.execute("UPDATE events SET actor = 'local:mallory' WHERE position = 1")
        connection.execute(f"CREATE TABLE later AS SELECT * FROM events WHERE position > {old}")
        connection.execute(f"DELETE FROM events WHERE position > {old}")
        for statement in RESET:
            connection.execute(statement)
    assert crm("audit", "seal", "pipeline").json[0]["sealed"] == int(old)
    with database(home) as connection:
        connection.execute("INSERT INTO events SELECT * FROM later")
        connection.execute("DROP TABLE later")
    new = str(crm("audit", "seal", "pipeline").json[0]["sealed"])
    proof = tmp_path / "grew.json"
    proof.write_text(crm("audit", "prove", "pipeline", "--between", old, new).out)
    assert crm("audit", "check-proof", proof).code == 0
    done = crm("audit", "check-proof", proof, "--against", kept)
    assert (done.code, "is not the one that was kept" in done.err) == (3, True)


def test_changed_sealed_rows_prove_no_growth(
    crm: Crm, home: Home, grown: tuple[Path, str, str]
) -> None:
    _, old, new = grown
    with database(home) as connection:
        connection.execute("UPDATE audit_tiles SET hashes = zeroblob(length(hashes))")
    done = crm("audit", "prove", "pipeline", "--between", old, new)
    assert (done.code, done.out, "crm audit verify" in done.err) == (3, "", True)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (("pipeline", "--between", 1, 10**9), "There is no checkpoint of 1"),
        (("pipeline", "--between", 9, 1), "Name the smaller size first"),
        (("planet", "--between", 1, 2), "'planet' is no context"),
        (("nonsense",), "'nonsense' is no id"),
    ],
)
def test_what_cannot_be_proven_is_said(crm: Crm, asked: tuple[Any, ...], why: str) -> None:
    done = crm("audit", "prove", *map(str, asked))
    assert (done.code, done.out) == (2, "")
    assert why in " ".join(done.err.split())


def test_unknown_event_is_wrong_use(crm: Crm) -> None:
    done = crm("audit", "prove", str(new_id()))
    assert (done.code, "There is no event" in done.err) == (2, True)


def test_lost_key_is_told_and_not_made_anew(crm: Crm, home: Home) -> None:
    home.audit_key.unlink()
    done = crm("audit", "seal", "contacts")
    assert (done.code, "restore it from your backup" in done.err) == (1, True)
    assert not home.audit_key.exists()


@pytest.mark.parametrize("text", ["nothing", "crm/pipeline\n1\nAAAA\n\n— crm/pipeline AAAA\n"])
def test_broken_checkpoint_is_refused(text: str, crm: Crm, tmp_path: Path) -> None:
    (tmp_path / "broken.txt").write_text(text)
    done = crm("audit", "verify", "pipeline", "--against", tmp_path / "broken.txt")
    assert (done.code, "broken.txt is no checkpoint" in done.err) == (2, True)


def test_checkpoint_that_nobody_signed_is_refused(crm: Crm, archive: Path, tmp_path: Path) -> None:
    make_key(tmp_path / "other.key")
    given = ("--against", archive / "left", "--key", tmp_path / "other.key")
    done = crm("audit", "verify", "pipeline", *given)
    assert (done.code, "No key that is trusted signed" in done.err) == (2, True)


def test_check_goes_on_from_what_it_kept(crm: Crm, home: Home, tmp_path: Path) -> None:
    """What was checked already is not read again, until the whole has been checked."""
    with opened(home) as transport:
        query = {"limit": 10}
        part = transport.send("GET", "/v1/pipeline/audit/check", query=query)
    (tmp_path / "state").write_text(json.dumps({"pipeline": part["reached"]}))
    with database(home) as connection:
        connection.execute("UPDATE events SET actor = 'local:mallory' WHERE position = 1")
    state = ("--state", tmp_path / "state")
    assert crm("audit", "verify", "pipeline", *state).code == 0
    assert not (tmp_path / "state").exists()
    assert crm("audit", "verify", "pipeline", *state).code == 3


def test_proof_that_is_not_there_is_not_called_unreadable_json(crm: Crm, tmp_path: Path) -> None:
    nowhere, empty = tmp_path / "nowhere.json", tmp_path / "empty.json"
    empty.touch()
    for file, why in ((nowhere, "No such file"), (empty, "no proof")):
        done = crm("audit", "check-proof", str(file))
        assert (done.code, why in done.err) == (2, True), done.err
