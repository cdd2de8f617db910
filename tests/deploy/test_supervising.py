import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from crm_servers.distributed.supervising import ROLES, SERVERS, Program, Supervisor

from tests.support.waiting import wait_until

WRITES_ITS_PID = (
    "import os, sys, signal; open(sys.argv[1], 'w').write(str(os.getpid())); signal.pause()"
)


def _program(folder: Path, name: str, group: str) -> Program:
    file = folder / f"{name}.pid"
    return Program(name, group, [sys.executable, "-c", WRITES_ITS_PID, str(file)])


def _pid(folder: Path, name: str) -> int:
    try:
        return int((folder / f"{name}.pid").read_text() or 0)
    except FileNotFoundError:
        return 0


def _runs(folder: Path, name: str) -> bool:
    pid = _pid(folder, name)
    return pid > 0 and psutil.pid_exists(pid)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With what a shell or a configuration file could trip over in its name."""
    path = tmp_path / 'a 100% "odd" one'
    (path / "logs").mkdir(parents=True)
    return path


@pytest.fixture
def supervisor(folder: Path) -> Iterator[Supervisor]:
    ours = Supervisor(folder)
    ours.start(
        [
            _program(folder, "server", SERVERS),
            _program(folder, "role", ROLES),
            Program("hopeless", ROLES, [sys.executable, "-c", "raise SystemExit(2)"]),
            Program("told", ROLES, [sys.executable, "-c", TELLS], {"TOLD": ODD}),
        ]
    )
    yield ours
    if ours.running():
        ours.stop()


ODD = 'p%ss "w\\rd", x'
TELLS = "import os, signal; print('told', os.environ['TOLD'], flush=True); signal.pause()"


def test_servers_start_first_and_roles_when_asked(supervisor: Supervisor, folder: Path) -> None:
    wait_until(lambda: _runs(folder, "server"), "the server runs")
    assert not _runs(folder, "role")
    supervisor.start_roles()
    wait_until(lambda: _runs(folder, "role"), "the role runs")


@pytest.mark.usefixtures("supervisor")
def test_what_is_killed_comes_back(folder: Path) -> None:
    wait_until(lambda: _runs(folder, "server"), "the server runs")
    killed = _pid(folder, "server")
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: _pid(folder, "server") not in {0, killed}, "it runs again")


def test_what_ends_at_once_is_named(supervisor: Supervisor) -> None:
    supervisor.start_roles()
    wait_until(lambda: "hopeless" in supervisor.failing(), "it is named")


def test_settings_arrive_as_they_were_given(supervisor: Supervisor, folder: Path) -> None:
    supervisor.start_roles()
    log = folder / "logs" / "told.log"
    wait_until(lambda: log.exists() and log.read_text() == f"told {ODD}\n", "it is told")


def test_stop_leaves_nothing_running(supervisor: Supervisor, folder: Path) -> None:
    supervisor.start_roles()
    wait_until(lambda: _runs(folder, "server") and _runs(folder, "role"), "both run")
    supervisor.stop()
    assert not supervisor.running()
    assert not _runs(folder, "server")
    assert not _runs(folder, "role")


def test_one_program_is_halted_and_begun_again(folder: Path, supervisor: Supervisor) -> None:
    wait_until(lambda: _runs(folder, "server"), "the server runs")
    first = supervisor.pids()["server"]
    assert first == _pid(folder, "server")
    supervisor.halt("server")
    assert "server" not in supervisor.pids()
    supervisor.begin("server")
    wait_until(lambda: _pid(folder, "server") not in {0, first}, "it runs again")
    assert supervisor.pids()["server"] == _pid(folder, "server")
