"""Every byte that a deployment keeps, its keys, and a backup of it that can be restored."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from uuid import UUID

import psycopg
from crm_console.embedded.stores import open_stores
from crm_console.home import Home
from crm_events.catalogue import CONTEXTS
from crm_events.keys.open import open_keys
from crm_events.store.open import open_recorder
from crm_servers.dsn import url_of
from crm_servers.postgres import USER, programs
from crm_servers.settings import with_ours
from psycopg.conninfo import conninfo_to_dict

from tests.e2e.conftest import Deployment
from tests.e2e.roles import Roles
from tests.e2e.stores import NAMESPACE, recorder_of
from tests.e2e.working import CURRENCY
from tests.support.canary.looking import Look

_BYTEA = re.compile(rb"\\x((?:[0-9a-f]{2})+)")
_ALIVE = "SELECT subject FROM {} WHERE wrapped IS NOT NULL"
_CUSTOM = ("--format=custom", "--compress=0", "--no-owner")
_OTHERS = {"postgres", "secrets"}
"""Folders of the distributed form that are not read as files: a database, which is dumped, and
what its owner keeps apart."""


def rest_of(deployment: Deployment) -> Rest:
    return (HomeAtRest if deployment.form == "embedded" else RolesAtRest)(deployment.folder)


class HomeAtRest:
    """The embedded form, which must not run meanwhile."""

    def __init__(self, folder: Path) -> None:
        self._home = Home(folder)

    @contextmanager
    def looking(self) -> Iterator[Look]:
        with self._home.held(), _look_into(self._home) as look:
            yield look

    def subjects(self) -> set[UUID]:
        """Who has a key."""
        with closing(sqlite3.connect(self._home.keys)) as connection:
            rows = connection.execute(_ALIVE.format("subject_keys")).fetchall()
        return {UUID(bytes=row[0]) for row in rows}

    def contents(self) -> Iterator[tuple[str, bytes]]:
        yield from _files(self._home.path, set())

    def back_up(self, into: Path) -> None:
        """As the runbook says: the home is copied, without what views show."""
        shutil.copytree(self._home.path, into, ignore=shutil.ignore_patterns("views.db*"))

    @contextmanager
    def restored(self, backup: Path) -> Iterator[Look]:
        """With the keys as they are now."""
        home = self.restore(backup, backup.with_name("restored"))
        with home.held(), _look_into(home) as look:
            yield look

    def restore(self, backup: Path, into: Path) -> Home:
        home = Home(into)
        shutil.copytree(backup, home.path)
        for file in home.path.glob("keys.db*"):
            file.unlink()
        shutil.copy(self._home.keys, home.keys)
        return home


@contextmanager
def _look_into(home: Home) -> Iterator[Look]:
    with closing(open_stores(home, NAMESPACE, CURRENCY)) as stores:
        yield Look(stores.recorders, stores.keys)


class RolesAtRest:
    """The distributed form, which runs meanwhile."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._roles = Roles(folder)

    @contextmanager
    def looking(self) -> Iterator[Look]:
        with ExitStack() as stack:
            opened = {c: closing(recorder_of(self._roles, c)) for c in CONTEXTS}
            recorders = {c: stack.enter_context(each) for c, each in opened.items()}
            told = self._roles.environment("contacts-api")
            master = Path(told["CRM_MASTER_KEY_FILE"])
            keys = stack.enter_context(closing(open_keys(told["CRM_KEYS"], NAMESPACE, master)))
            yield Look(recorders, keys)

    def subjects(self) -> set[UUID]:
        """Who has a key."""
        with psycopg.connect(self._dsn("keys")) as connection:
            rows = connection.execute(_ALIVE.format(f"{NAMESPACE}_keys.subject_keys")).fetchall()
        return {row[0] for row in rows}

    def contents(self) -> Iterator[tuple[str, bytes]]:
        """Every row of every database, and every file of Kafka's, of logs and of checkpoints."""
        for name in (*CONTEXTS, "views", "keys"):
            dumped = _program("pg_dump", self._dsn(name), "--no-owner")
            yield f"database {name}", with_bytes(dumped)
        yield from _files(self._folder, _OTHERS)

    def back_up(self, into: Path) -> None:
        """As the runbook says: the database of each context."""
        into.mkdir()
        for context in CONTEXTS:
            dumped = _program("pg_dump", self._dsn(context), *_CUSTOM)
            (into / context).write_bytes(dumped)

    @contextmanager
    def restored(self, backup: Path) -> Iterator[Look]:
        """Beside the databases that are there; with the keys as they are now."""
        with ExitStack() as stack:
            look = stack.enter_context(self.looking())
            recorders = {}
            for context in CONTEXTS:
                place = stack.enter_context(self._database(f"restored_{context}"))
                _program("pg_restore", place, "--exit-on-error", backup / context)
                opened = closing(open_recorder(place, NAMESPACE, context))
                recorders[context] = stack.enter_context(opened)
            yield Look(recorders, look.keys)

    @contextmanager
    def _database(self, name: str) -> Iterator[str]:
        password = (self._folder / "postgres" / "password").read_text()
        server = conninfo_to_dict(self._dsn("contacts"))
        owner = {**server, "user": USER, "password": password}
        with psycopg.connect(
            url_of({**owner, "dbname": "postgres"}), autocommit=True
        ) as connection:
            connection.execute(f"CREATE DATABASE {name}")
            try:
                yield url_of({**owner, "dbname": name})
            finally:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _dsn(self, database: str) -> str:
        role, variable = {
            "views": ("projections-api", "CRM_POSTGRES"),
            "keys": ("contacts-api", "CRM_KEYS"),
        }.get(database, (f"{database}-api", "CRM_POSTGRES"))
        return self._roles.environment(role)[variable]


Rest = HomeAtRest | RolesAtRest


def _files(folder: Path, others: set[str]) -> Iterator[tuple[str, bytes]]:
    """Without the empty space that Kafka's indexes end with."""
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        if path.is_file() and name.parts[0] not in others:
            yield str(name), path.read_bytes().rstrip(b"\0")


def with_bytes(dumped: bytes) -> bytes:
    """A dump shows the bytes of a column as digits; they are added as they are."""
    return b"\n".join([dumped, *map(_raw, _BYTEA.findall(dumped))])


def _raw(digits: bytes) -> bytes:
    return bytes.fromhex(digits.decode())


def _program(name: str, dsn: str, *arguments: str | Path) -> bytes:
    command = [str(programs() / name), f"--dbname={dsn}", *map(str, arguments)]
    done = subprocess.run(command, env=with_ours({}), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
