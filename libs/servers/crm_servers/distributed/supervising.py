"""Supervisor runs the processes: it starts again what ends, keeps the logs, and stops all of it."""

import hashlib
import shlex
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from configparser import RawConfigParser
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from crm_servers.errors import ServerUnavailable

PATIENCE = 60.0
# The system takes 104 to 108 bytes, and Supervisor adds its process id for a moment.
LONGEST_SOCKET = 90
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
        self._socket = _socket_path(folder.resolve())

    @contextmanager
    def _rpc(self) -> Iterator[Any]:
        transport = SupervisorTransport(serverurl=f"unix://{self._socket}")
        with ServerProxy("http://supervisor", transport=transport) as proxy:
            yield proxy.supervisor

    def running(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self._socket)) == 0

    def start(self, programs: Sequence[Program]) -> None:
        """Starts supervisord in the background with the servers; `start_roles` comes after."""
        path = self._folder / "supervisord.conf"
        path.touch(mode=0o600)
        with path.open("w") as file:
            _configuration(self._socket, programs).write(file)
        command = [sys.executable, "-m", "supervisor.supervisord", "--configuration", str(path)]
        done = subprocess.run(
            command, cwd=self._folder, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise ServerUnavailable(
                f"supervisord did not start; mend what it says and try again: {done.stderr.strip()}"
            )
        self._until(self.running)

    def start_roles(self) -> None:
        with self._rpc() as rpc:
            rpc.startProcessGroup(ROLES, False)

    def failing(self) -> dict[str, str]:
        """The programs that ended as soon as they were started and now wait for another try."""
        with self._rpc() as rpc:
            found = rpc.getAllProcessInfo()
        states = {"BACKOFF", "FATAL"}
        return {info["name"]: info["description"] for info in found if info["statename"] in states}

    def pids(self) -> dict[str, int]:
        """The processes that run now, by the name of their program."""
        with self._rpc() as rpc:
            found = rpc.getAllProcessInfo()
        return {info["name"]: info["pid"] for info in found if info["pid"]}

    def halt(self, name: str) -> None:
        """Ends one program, which stays down until `begin`."""
        with self._rpc() as rpc:
            rpc.stopProcess(_full_name(rpc, name))

    def begin(self, name: str) -> None:
        with self._rpc() as rpc:
            rpc.startProcess(_full_name(rpc, name), False)

    def stop(self) -> None:
        """Ends roles first, then the servers, then itself."""
        try:
            with self._rpc() as rpc:
                rpc.shutdown()
        except Fault as fault:
            if "SHUTDOWN_STATE" not in fault.faultString:
                raise
        self._until(lambda: not self.running(), patience=PATIENCE)

    def _until(self, holds: Callable[[], bool], patience: float = 10.0) -> None:
        deadline = time.monotonic() + patience
        while not holds():
            if time.monotonic() > deadline:
                raise ServerUnavailable(
                    f"supervisord does not answer; read {self._folder / 'supervisord.log'}"
                )
            time.sleep(PAUSE)  # noqa: TID251 (this is the waiter)


def _full_name(rpc: Any, name: str) -> str:
    groups = {info["name"]: info["group"] for info in rpc.getAllProcessInfo()}
    return f"{groups[name]}:{name}"


def _socket_path(folder: Path) -> Path:
    """In the folder, which is closed to others; elsewhere only where that path is too long."""
    path = folder / "supervisor.sock"
    if len(str(path)) <= LONGEST_SOCKET:
        return path
    mark = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"crm-up-{mark}.sock"


def _configuration(address: Path, programs: Sequence[Program]) -> RawConfigParser:
    """With relative paths: Supervisor would expand what follows a % in an absolute one."""
    config = RawConfigParser()
    config["unix_http_server"] = {"file": str(address), "chmod": "0600"}
    config["rpcinterface:supervisor"] = {
        "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
    }
    config["supervisord"] = {
        "logfile": "supervisord.log",
        "pidfile": "supervisord.pid",
        "childlogdir": "logs",
    }
    for priority, group in enumerate((SERVERS, ROLES)):
        names = [program.name for program in programs if program.group == group]
        config[f"group:{group}"] = {"programs": ",".join(names), "priority": str(priority)}
    for program in programs:
        config[f"program:{program.name}"] = _section(program)
    return config


def _section(program: Program) -> dict[str, str]:
    settings = (_assigned(name, text) for name, text in program.environment.items())
    return {
        "command": shlex.join(program.command).replace("%", "%%"),
        "environment": ",".join(settings),
        "autostart": "true" if program.group == SERVERS else "false",
        "autorestart": "true",
        # The pause grows by a second with each try: half an hour, longer than any database is away.
        "startretries": "60",
        "stopwaitsecs": STOP_SECONDS[program.group],
        "killasgroup": "true",
        "stdout_logfile": f"logs/{program.name}.log",
        "stdout_logfile_maxbytes": "10MB",
        "stdout_logfile_backups": "2",
        "redirect_stderr": "true",
    }


def _assigned(name: str, text: str) -> str:
    """Supervisor takes a value literally between quotes of one kind, save that it expands a %."""
    quote = next((mark for mark in "\"'" if mark not in text), None)
    if quote is None:
        raise ServerUnavailable(f"{name} holds both kinds of quotes; give it another value or path")
    return f"{name}={quote}{text.replace('%', '%%')}{quote}"
