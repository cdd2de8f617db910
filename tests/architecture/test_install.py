"""Installing happens once, again when what it depends on changes, and fails in one clear line."""

import importlib.util
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from tests.architecture.checks import ROOT


@pytest.fixture
def install() -> ModuleType:
    spec = importlib.util.spec_from_file_location("install", ROOT / "requirements/install.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("Makefile", "requirements/install.py", "requirements/dev.lock"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "libs/events").mkdir(parents=True)
    (tmp_path / "libs/events/pyproject.toml").write_text("[project]\n")
    return tmp_path


def environment_for(place: Path, checkout: Path) -> None:
    """A `.venv` in `checkout` that says it was made for `place`, as a moved one does."""
    python = checkout / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\nexit 0\n")
    python.chmod(0o755)
    (checkout / ".venv/pyvenv.cfg").write_text(
        f"command = /usr/bin/python3 -m venv {place}/.venv\n"
    )


def test_second_install_has_nothing_to_do(install: ModuleType, checkout: Path) -> None:
    environment_for(checkout, checkout)
    assert not install.installed(checkout)
    (checkout / ".venv/installed").write_text(install.fingerprint(checkout))
    assert install.installed(checkout)


@pytest.mark.parametrize("changed", ["requirements/dev.lock", "libs/events/pyproject.toml"])
def test_change_asks_for_another_install(install: ModuleType, checkout: Path, changed: str) -> None:
    before = install.fingerprint(checkout)
    (checkout / changed).write_text("# changed\n")
    assert install.fingerprint(checkout) != before


def test_moved_environment_is_made_anew(install: ModuleType, checkout: Path) -> None:
    environment_for(checkout / "elsewhere", checkout)
    assert not install.usable(checkout)


def test_environment_whose_python_is_gone_is_made_anew(install: ModuleType, checkout: Path) -> None:
    environment_for(checkout, checkout)
    assert install.usable(checkout)
    (checkout / ".venv/bin/python").unlink()
    assert not install.usable(checkout)


def test_old_python_is_refused_in_one_line(checkout: Path) -> None:
    old = checkout / "python3.10"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    answer = made(checkout, "install", f"PYTHON={old}")
    assert answer.returncode != 0
    assert answer.stderr.splitlines()[0] == (
        f"make install: '{old}' is not Python 3.11 or newer. "
        "Install one, or name it: make install PYTHON=python3.12"
    )


def test_python_without_venv_gets_the_remedy(checkout: Path) -> None:
    """Debian splits venv off: there `python3 -m venv` fails after the version was right."""
    real = shutil.which("python3")
    bare = checkout / "python3"
    bare.write_text(f'#!/bin/sh\n[ "$2" = venv ] && exit 1\nexec {real} "$@"\n')
    bare.chmod(0o755)
    broken = checkout / "requirements/install.py"
    broken.write_text(broken.read_text().replace("sys.executable", f'"{bare}"'))
    answer = made(checkout, "install", f"PYTHON={bare}")
    assert answer.returncode != 0
    assert "Install its venv module" in answer.stderr


def made(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=checkout, check=False, capture_output=True, text=True)
