"""Each import contract, broken on purpose in a copy of the code, goes red by its own name."""

import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.checks import ROOT

CONTRACTS = configparser.ConfigParser()
CONTRACTS.read(ROOT / ".importlinter")

CONTACTS = "services/contacts/crm_contacts"
PROJECTIONS = "services/projections/crm_projections"

# contract: (a module to add, what it says), one for each way to break it
BREAKS = [
    ("distributions", f"{CONTACTS}/domain/intruder.py", "import crm_pipeline"),
    ("distributions", "libs/events/crm_events/intruder.py", "import crm_service"),
    ("distributions", "libs/service/crm_service/intruder.py", "import crm_contacts"),
    ("distributions", f"{PROJECTIONS}/views/funnel/intruder.py", "import crm_console"),
    ("servers", f"{CONTACTS}/domain/intruder.py", "import crm_servers"),
    ("contexts", f"{CONTACTS}/domain/intruder.py", "import crm_contacts.api"),
    ("contexts", f"{CONTACTS}/api/intruder.py", "import crm_contacts.bootstrap"),
    ("contexts", f"{CONTACTS}/attic/__init__.py", ""),
    ("projections", f"{PROJECTIONS}/engine/intruder.py", "import crm_projections.views"),
    ("projections", f"{PROJECTIONS}/attic/__init__.py", ""),
    ("views", f"{PROJECTIONS}/views/funnel/intruder.py", "import crm_projections.views.retention"),
    ("bootstrap", "libs/service/crm_service/intruder.py", "import crm_contacts.bootstrap"),
    ("console", "services/console/crm_console/intruder.py", "import crm_contacts.domain"),
    ("domain", f"{CONTACTS}/domain/intruder.py", "import time"),
    ("domain", f"{CONTACTS}/domain/intruder.py", "import random"),
    ("domain", f"{CONTACTS}/domain/intruder.py", "import sqlalchemy"),
    ("domain", "services/campaigns/crm_campaigns/domain/intruder.py", "import crm_events.ids"),
    ("published-language", "libs/events/crm_events/contracts/intruder.py", "import orjson"),
    ("published-language", "libs/events/crm_events/contracts/intruder.py", "import os"),
    ("cycles", f"{CONTACTS}/domain/one.py", "import crm_contacts.domain.other"),
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__")
    for folder in ("libs", "services", "tests/architecture"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path


def test_every_contract_has_a_way_to_break_it() -> None:
    prefix = "importlinter:contract:"
    named = {name.removeprefix(prefix) for name in CONTRACTS.sections() if name.startswith(prefix)}
    assert named == {contract for contract, _, _ in BREAKS}


def test_unbroken_copy_is_green(copy: Path) -> None:
    assert broken_in(copy) == set()


@pytest.mark.parametrize(
    ("contract", "module", "line"), BREAKS, ids=[f"{c}-{Path(m).parent.name}" for c, m, _ in BREAKS]
)
def test_broken_contract_goes_red(copy: Path, contract: str, module: str, line: str) -> None:
    add(copy / module, line)
    add_imported(copy, line.removeprefix("import "))
    if contract == "cycles":
        add((copy / module).with_name("other.py"), "import crm_contacts.domain.one")
    assert CONTRACTS[f"importlinter:contract:{contract}"]["name"] in broken_in(copy)


def add_imported(copy: Path, name: str) -> None:
    """A room that is not there yet is added empty: importing nothing breaks nothing."""
    package, _, rest = name.partition(".")
    for folder in copy.glob(f"*/*/{package}"):
        room = folder.joinpath(*rest.split("."))
        if not room.is_dir() and not room.with_suffix(".py").is_file():
            add(room / "__init__.py", "")


def add(module: Path, line: str) -> None:
    module.parent.mkdir(parents=True, exist_ok=True)
    for folder in (module.parent, *module.parents):
        if folder.name.startswith("crm_"):
            break
        (folder / "__init__.py").touch()
    module.write_text(f"{line}\n")


def broken_in(copy: Path) -> set[str]:
    """The names of the contracts that import-linter reports as broken in this copy."""
    sources = [str(path.parent) for path in copy.glob("*/*/pyproject.toml")]
    places = f"PYTHONPATH={os.pathsep.join([str(copy), *sources])}"
    linter = str(Path(sys.executable).with_name("lint-imports"))
    report = subprocess.run(
        ["env", places, linter, "--no-cache"], cwd=copy, check=False, capture_output=True, text=True
    )
    broken = set(re.findall(r"^(.+) BROKEN$", report.stdout, re.MULTILINE))
    assert report.returncode == (1 if broken else 0), report.stdout + report.stderr
    return broken
