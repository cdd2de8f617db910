"""Programs that a benchmark starts as processes of their own and waits for, their log written."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
from crm_servers.ports import free_port
from crm_servers.settings import with_ours

from tests.bench.measuring import NotDone
from tests.bench.report import ROOT
from tests.support.waiting import wait_until

_SECONDS: Final = 60.0
_TAIL: Final = 1_500


@contextmanager
def serving(
    folder: Path, told: Mapping[str, str], module: str, *arguments: str, probe: str = "readyz"
) -> Iterator[int]:
    """`python -m module` told CRM_PORT (and CRM_HEALTH_PORT): that port, once its probe answers
    200. Ends it when the block is left. Raises NotDone where it ends before."""
    port = free_port()
    env = with_ours({**told, "CRM_PORT": str(port), "CRM_HEALTH_PORT": str(port)})
    log = folder / f"{module}-{port}.log"
    command = [sys.executable, "-m", module, *arguments]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=output, stderr=output)
    try:
        wait_until(lambda: _answers(process, log, port, probe), f"{module}, see {log}", _SECONDS)
        yield port
    finally:
        process.terminate()
        process.wait(15)


def _answers(process: subprocess.Popen[bytes], log: Path, port: int, probe: str) -> bool:
    if process.poll() is not None:
        raise NotDone(f"it ended:\n{log.read_text(errors='replace')[-_TAIL:]}")
    try:
        return httpx.get(f"http://127.0.0.1:{port}/{probe}", timeout=5).status_code == 200
    except httpx.TransportError:
        return False
