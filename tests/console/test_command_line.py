"""The command as a whole: help, version, and what each way of ending stands for."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import pytest
from crm_console.cli.root import app
from crm_console.home import Home
from typer.main import get_command

from tests.console.homes import Crm

COMMANDS = {"serve", "import", "view", "list", "history", "sample", "audit", "parked", "token"}
WITH_EXAMPLES = [
    ("serve",),
    ("import",),
    ("view",),
    ("as-of",),
    ("list",),
    ("history",),
    ("why",),
    ("diff",),
    ("what-if", "funnel"),
    ("what-if", "satisfaction"),
    ("rebuild",),
    ("verify", "views"),
    ("replay",),
    ("report", "run"),
    ("report", "cite"),
    ("export",),
    ("export-subject",),
    ("erase",),
    ("keys", "erased"),
    ("keys", "reapply"),
    ("undo",),
    ("sample",),
    ("audit", "seal"),
    ("audit", "verify"),
    ("audit", "prove"),
    ("audit", "check-proof"),
    ("audit", "key"),
    ("parked", "list"),
    ("parked", "retry"),
    ("parked", "skip"),
    ("token", "create"),
    ("token", "list"),
    ("token", "revoke"),
]
NOWHERE = Crm(())


def leaves() -> list[tuple[str, ...]]:
    """Every command that does something, by the words that call it."""
    found: list[tuple[str, ...]] = []
    root = get_command(app)
    for name, command in getattr(root, "commands", {}).items():
        inner = getattr(command, "commands", None)
        found += [(name,)] if inner is None else [(name, each) for each in inner]
    return found


def test_every_command_is_looked_at_here() -> None:
    assert set(leaves()) == set(WITH_EXAMPLES)


@pytest.mark.parametrize("words", WITH_EXAMPLES, ids=" ".join)
def test_help_shows_an_example_that_begins_like_the_command(words: tuple[str, ...]) -> None:
    done = NOWHERE(*words, "--help")
    assert done.code == 0
    example = " ".join(done.out.split("Example:")[1].split())
    assert example.startswith("crm ")
    assert f" {' '.join(words)}" in example


def test_no_argument_shows_all_commands() -> None:
    done = NOWHERE()
    assert done.code == 2
    shown = done.out + done.err
    assert all(f"\n  {name} " in shown for name in COMMANDS)


@pytest.mark.parametrize(
    "words",
    [("view",), ("import",), ("list",), ("history",), ("parked",), ("token",)],
    ids=" ".join,
)
def test_a_command_alone_explains_itself(words: tuple[str, ...]) -> None:
    done = NOWHERE(*words)
    assert done.code == 2
    assert f"Usage: crm {words[0]} " in done.out + done.err


def test_version_is_that_of_the_distribution() -> None:
    done = NOWHERE("--version")
    assert (done.code, done.out) == (0, f"crm {version('crm-console')}\n")


@pytest.mark.parametrize("words", [("fly",), ("view", "funnel", "--fly"), ("parked", "retry", "x")])
def test_what_the_command_does_not_know_ends_with_2(words: tuple[str, ...]) -> None:
    assert NOWHERE(*words).code == 2


def test_a_home_that_another_works_in_is_refused(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with home.held():
        done = Crm.on(home)("view", "funnel")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"crm: {home.path} is in use by process ")
    assert done.err.count("\n") == 1


def test_a_folder_that_cannot_be_a_home_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = Crm.on(Home(tmp_path / "file"))("view", "funnel")
    assert done.code == 1
    assert "give another folder with --home" in done.err


def test_a_wrong_environment_is_refused(tmp_path: Path) -> None:
    done = Crm.on(Home(tmp_path / "home"), CRM_TIMEZONE="Mars/Base")("view", "funnel")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "crm: CRM_TIMEZONE does not fit: name a zone of the tz database, such as Europe/Berlin.\n"
    )


def test_where_a_server_would_listen_does_not_matter_to_other_commands(tmp_path: Path) -> None:
    everywhere = "0.0.0.0"  # noqa: S104 - it is not listened on
    crm = Crm.on(Home(tmp_path / "home"), CRM_HOST=everywhere, CRM_REQUIRE_TOKEN="true")
    assert crm.view("funnel")["totals"]["units"] == 0


def test_a_failure_inside_names_the_log(tmp_path: Path) -> None:
    """The store loses a table while nobody looks."""
    home = Home(tmp_path / "home")
    crm = Crm.on(home)
    assert crm("view", "funnel").code == 0
    with closing(sqlite3.connect(home.store("pipeline"))) as store, store:
        store.execute("DROP TABLE events")
    done = crm("view", "funnel")
    assert (done.code, done.out) == (1, "")
    log, why = done.err.splitlines()
    assert log == f"The log is {home.path / 'crm.log'}"
    assert why.startswith("crm: ")
    assert '"status":503' in (home.path / "crm.log").read_text()


def test_who_asks_a_server_imports_no_application() -> None:
    """The application takes most of a second to import; this process has nothing to do with it."""
    code = (
        "import sys, crm_console.cli\n"
        "heavy = {'sqlalchemy', 'fastapi', 'aiokafka', 'alembic', 'structlog', 'uvicorn'}\n"
        "sys.exit(repr(sorted(heavy & sys.modules.keys())) if heavy & sys.modules.keys() else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
