"""A server from wheels ends with the process that started it, however that one ends."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crm_servers.ports import free_port, is_free

from tests.support.servers import scratch_folder
from tests.support.waiting import wait_until


@contextmanager
def _foreground(folder: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "crm_servers", "postgres"]
    process = subprocess.Popen(
        [*command, "--folder", folder, "--port", str(port)], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"PostgreSQL answers on 127.0.0.1:{port}\n"
        yield process


def test_sigterm_stops_it_in_good_order() -> None:
    port = free_port()
    with scratch_folder("foreground") as folder, _foreground(folder, port) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert is_free(port)
        assert "database system is shut down" in (folder / "postgres.log").read_text()


def test_no_server_is_left_behind_by_a_kill() -> None:
    port = free_port()
    with scratch_folder("killed") as folder, _foreground(folder, port) as process:
        process.kill()
        process.wait()
        wait_until(lambda: is_free(port), "the port is free again")


def test_a_server_that_dies_ends_the_foreground_process() -> None:
    port = free_port()
    with scratch_folder("dying") as folder, _foreground(folder, port) as process:
        postmaster = int((folder / "data" / "postmaster.pid").read_text().split()[0])
        subprocess.run(["kill", "-INT", str(postmaster)], check=True)
        assert process.wait(20) == 1
