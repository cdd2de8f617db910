"""Supervisor runs the processes: it starts again what ends, keeps the logs, and stops all of it."""

import hashlib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from configparser import RawConfigParser
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from crm_servers.errors import ServerUnavailable

PATIENCE = 60.0
PAUSE = 0.1
SERVERS, ROLES = "servers", "roles"
# A role drains for ten seconds at most; a database may take longer to write what it holds.
STOP_SECONDS = {SERVERS: "40", ROLES: "15"}


@dataclass(frozen=True)
class Program:
    name: str
    group: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


class Supervisor:
    """One supervisord, its files in `folder`; answers on a socket that only this user may use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # A socket's path must be short, and a folder's may be long.
        mark = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
        self._socket = Path(tempfile.gettempdir()) / f"crm-up-{mark}.sock"
        transport = SupervisorTransport(serverurl=f"unix://{self._socket}")
        self._rpc: Any = ServerProxy("http://supervisor", transport=transport).supervisor

    def running(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self._socket)) == 0

    def start(self, programs: Sequence[Program]) -> None:
        """Starts supervisord in the background with the servers; `start_roles` comes after."""
        path = self._folder / "supervisord.conf"
        path.touch(mode=0o600)
        with path.open("w") as file:
            _configuration(self._folder, self._socket, programs).write(file)
        command = [sys.executable, "-m", "supervisor.supervisord", "--configuration", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ServerUnavailable(
                f"supervisord did not start; mend what it says and try again: {done.stderr.strip()}"
            )
        self._until(self.running)

    def start_roles(self) -> None:
        self._rpc.startProcessGroup(ROLES, False)

    def failed(self) -> dict[str, str]:
        """The programs that were given up after several tries, with the reason."""
        found = self._rpc.getAllProcessInfo()
        return {info["name"]: info["description"] for info in found if info["statename"] == "FATAL"}

    def stop(self) -> None:
        """Ends roles first, then the servers, then itself."""
        try:
            self._rpc.shutdown()
        except Fault as fault:
            if "SHUTDOWN_STATE" not in fault.faultString:
                raise
        self._until(lambda: not self.running(), patience=PATIENCE)

    def _until(self, holds: Any, patience: float = 10.0) -> None:
        deadline = time.monotonic() + patience
        while not holds():
            if time.monotonic() > deadline:
                raise ServerUnavailable(
                    f"supervisord does not answer; read {self._folder / 'supervisord.log'}"
                )
            time.sleep(PAUSE)  # noqa: TID251 (this is the waiter)


def _configuration(folder: Path, address: Path, programs: Sequence[Program]) -> RawConfigParser:
    config = RawConfigParser()
    config["unix_http_server"] = {"file": str(address), "chmod": "0600"}
    config["rpcinterface:supervisor"] = {
        "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
    }
    config["supervisord"] = {
        "logfile": _escaped(folder / "supervisord.log"),
        "pidfile": _escaped(folder / "supervisord.pid"),
        "childlogdir": _escaped(folder / "logs"),
        "directory": _escaped(folder),
    }
    for priority, group in enumerate((SERVERS, ROLES)):
        names = [program.name for program in programs if program.group == group]
        config[f"group:{group}"] = {"programs": ",".join(names), "priority": str(priority)}
    for program in programs:
        config[f"program:{program.name}"] = _section(folder, program)
    return config


def _section(folder: Path, program: Program) -> dict[str, str]:
    settings = (f'{name}="{_escaped(text)}"' for name, text in program.environment.items())
    return {
        "command": " ".join(f'"{_escaped(word)}"' for word in program.command),
        "environment": ",".join(settings),
        "autostart": "true" if program.group == SERVERS else "false",
        "autorestart": "true",
        "startretries": "8",
        "stopwaitsecs": STOP_SECONDS[program.group],
        "killasgroup": "true",
        "stdout_logfile": _escaped(folder / "logs" / f"{program.name}.log"),
        "stdout_logfile_maxbytes": "10MB",
        "stdout_logfile_backups": "2",
        "redirect_stderr": "true",
    }


def _escaped(word: str | Path) -> str:
    return str(word).replace("\\", "\\\\").replace("%", "%%").replace('"', '\\"')
