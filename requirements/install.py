"""Makes `.venv` what the lock says. `make install` runs it with a bare Python: stdlib only."""

import hashlib
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed"
LOCK = ROOT / "requirements" / "dev.lock"


def distributions() -> list[Path]:
    """The folders of this repository that are installable on their own."""
    found = [*ROOT.glob("libs/*/pyproject.toml"), *ROOT.glob("services/*/pyproject.toml")]
    return [path.parent for path in sorted(found)]


def fingerprint() -> str:
    """Changes with whatever an installation depends on, the folder's own place included."""
    digest = hashlib.sha256(str(ROOT).encode())
    for path in [LOCK, *(folder / "pyproject.toml" for folder in distributions())]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def installed() -> bool:
    return STAMP.is_file() and STAMP.read_text() == fingerprint() and usable()


def usable() -> bool:
    """Whether the environment was made for this folder and its Python still starts."""
    config = VENV / "pyvenv.cfg"
    if not config.is_file() or f"-m venv {VENV}" not in config.read_text().replace("--clear ", ""):
        return False
    return PYTHON.exists() and subprocess.run([PYTHON, "-c", ""], check=False).returncode == 0


def run(message: str, remedy: str, *command: str | Path) -> None:
    print(f"make install: {message}", flush=True)
    if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
        sys.exit(f"make install: {remedy}")


def pip(message: str, *arguments: str) -> None:
    remedy = "pip failed, its reason is above. Mend that and call make install again."
    command = (PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-deps")
    run(message, remedy, *command, *arguments)


def create() -> None:
    remedy = (
        "this Python cannot make a virtual environment. Install its venv module "
        "(Debian and Ubuntu: apt install python3-venv) or name another one: make PYTHON=python3.12"
    )
    run(f"making {VENV}", remedy, sys.executable, "-m", "venv", "--clear", VENV)


def install() -> None:
    started = time.monotonic()
    if not usable():
        create()
    pip("1 of 2, the packages of the lock (about a minute)", "--require-hashes", "-r", str(LOCK))
    editable = [part for folder in distributions() for part in ("-e", str(folder))]
    pip("2 of 2, the code of this repository", "--no-index", "--no-build-isolation", *editable)
    STAMP.write_text(fingerprint())
    print(f"make install: done in {time.monotonic() - started:.0f} s, the command is .venv/bin/crm")


if __name__ == "__main__" and not installed():
    install()
