"""The peers' own virtual environment: made when first needed, and again when its lock changes."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.bench.measuring import NotDone
from tests.bench.report import ROOT

FOLDER: Final = ROOT / "build" / "peers"
LOCK: Final = ROOT / "requirements" / "peers.lock"
Install = Callable[[Path, Path], None]
"""Makes an environment in a folder hold what a lock says."""


def with_pip(folder: Path, lock: Path) -> None:
    """Raises NotDone, with pip's reason above it on the terminal."""
    venv.create(folder, with_pip=True, clear=True)
    pip = [str(python_of(folder)), "-m", "pip", "install", "--disable-pip-version-check"]
    command = [*pip, "--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", str(lock)]
    if subprocess.run(command, check=False).returncode != 0:
        raise NotDone("pip could not install the peers, its reason is above; mend it and repeat")


def peers_python(folder: Path = FOLDER, lock: Path = LOCK, install: Install = with_pip) -> Path:
    """The Python that has the peers, installed now unless they are. Raises NotDone."""
    stamp, wanted = folder / "installed", _fingerprint(folder, lock)
    if not (stamp.is_file() and stamp.read_text() == wanted):
        print(f"  installing the peers into {folder}, once; a minute or two ...", flush=True)
        started = time.monotonic()
        install(folder, lock)
        stamp.write_text(wanted)
        print(f"  installed the peers in {time.monotonic() - started:.0f} s", flush=True)
    return python_of(folder)


def python_of(folder: Path) -> Path:
    return folder / "bin" / "python"


def _fingerprint(folder: Path, lock: Path) -> str:
    """Changes with the lock, with this Python, and with the folder, whose scripts hold its path."""
    return hashlib.sha256(f"{folder} {sys.version}".encode() + lock.read_bytes()).hexdigest()
