"""Makes `.venv` what the lock says. `make install` runs it with a bare Python: stdlib only."""

import hashlib
import subprocess
import sys
import time
from pathlib import Path

LOCK = "requirements/dev.lock"


def distributions(root: Path) -> list[Path]:
    """The folders of this repository that are installable on their own."""
    found = [*root.glob("libs/*/pyproject.toml"), *root.glob("services/*/pyproject.toml")]
    return [path.parent for path in sorted(found)]


def fingerprint(root: Path) -> str:
    """Changes with whatever an installation depends on, the folder's own place included."""
    digest = hashlib.sha256(str(root).encode())
    for path in [root / LOCK, *(folder / "pyproject.toml" for folder in distributions(root))]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def installed(root: Path) -> bool:
    stamp = root / ".venv" / "installed"
    return stamp.is_file() and stamp.read_text() == fingerprint(root) and usable(root)


def usable(root: Path) -> bool:
    """Whether `.venv` was made for this very folder (its scripts hold full paths) and starts."""
    venv = root / ".venv"
    config = venv / "pyvenv.cfg"
    if not config.is_file() or not any(
        line.startswith("command = ") and line.endswith(f" {venv}")
        for line in config.read_text().splitlines()
    ):
        return False
    python = venv / "bin" / "python"
    return python.exists() and subprocess.run([python, "-c", ""], check=False).returncode == 0


def run(root: Path, message: str, remedy: str, *command: str | Path) -> None:
    print(f"make install: {message}", flush=True)
    if subprocess.run(command, cwd=root, check=False).returncode != 0:
        sys.exit(f"make install: {remedy}")


def create(root: Path) -> None:
    remedy = (
        "this Python cannot make a virtual environment. Install its venv module (Debian and "
        "Ubuntu: apt install python3-venv) or name another one: make install PYTHON=python3.12"
    )
    venv = root / ".venv"
    run(root, f"making {venv}", remedy, sys.executable, "-m", "venv", "--clear", venv)


def pip(root: Path, message: str, *arguments: str) -> None:
    remedy = "pip failed, its reason is above. Mend that and call make install again."
    command = (root / ".venv/bin/python", "-m", "pip", "install", "--disable-pip-version-check")
    run(root, message, remedy, *command, "--no-deps", *arguments)


def install(root: Path) -> None:
    started = time.monotonic()
    if not usable(root):
        create(root)
    pip(root, "1 of 2, the packages of the lock (about a minute)", "--require-hashes", "-r", LOCK)
    editable = [part for folder in distributions(root) for part in ("-e", str(folder))]
    pip(root, "2 of 2, this repository", "--no-index", "--no-build-isolation", *editable)
    (root / ".venv" / "installed").write_text(fingerprint(root))
    print(f"make install: done in {time.monotonic() - started:.0f} s, the command is .venv/bin/crm")


if __name__ == "__main__":
    here = Path(__file__).resolve().parent.parent
    if not installed(here):
        install(here)
