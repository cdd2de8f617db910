"""A new distribution or context that no rule knows is found here, not a year later."""

import configparser
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.checks import ROOT

DISTRIBUTIONS = sorted(path.parent for path in ROOT.glob("[ls]*/*/pyproject.toml"))
SERVICES = sorted(path for path in (ROOT / "services").iterdir() if path.is_dir())
NOT_CONTEXTS = {"projections", "console"}
CONTEXTS = {path.name for path in SERVICES} - NOT_CONTEXTS


def test_every_service_folder_is_a_distribution() -> None:
    libraries = [path for path in (ROOT / "libs").iterdir() if path.is_dir()]
    assert sorted([*SERVICES, *libraries]) == DISTRIBUTIONS


@pytest.mark.parametrize("folder", DISTRIBUTIONS, ids=lambda path: path.name)
def test_distribution_is_named_after_its_folder(folder: Path) -> None:
    assert project(folder)["name"] == f"crm-{folder.name}"
    assert (folder / f"crm_{folder.name}" / "__init__.py").is_file()


def test_import_contracts_know_every_distribution() -> None:
    packages = {f"crm_{folder.name}" for folder in DISTRIBUTIONS}
    assert listed("importlinter", "root_packages") == packages
    assert listed("importlinter:contract:cycles", "ancestors") == packages


def test_import_contracts_know_every_context() -> None:
    contexts = {f"crm_{name}" for name in CONTEXTS}
    assert listed("importlinter:contract:contexts", "containers") == contexts
    assert {f"{name}.domain" for name in contexts} <= listed(
        "importlinter:contract:domain", "allowed"
    )
    doors = {f"crm_{path.name}.bootstrap" for path in SERVICES if path.name != "console"}
    assert listed("importlinter:contract:console", "allowed") == doors


def test_type_checker_sees_every_distribution() -> None:
    places = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["mypy_path"]
    for folder in DISTRIBUTIONS:
        assert f"$MYPY_CONFIG_FILE_DIR/{folder.relative_to(ROOT)}" in places.replace(",", "\n")


def test_lock_is_made_from_every_distribution() -> None:
    everything = editables(ROOT / "requirements/distributions.in")
    assert everything == {str(folder.relative_to(ROOT)) for folder in DISTRIBUTIONS}
    assert editables(ROOT / "requirements/service.in") == everything - {"libs/servers"}


def test_no_service_depends_on_a_sibling() -> None:
    siblings = {f"crm-{path.name}" for path in SERVICES}
    for folder in SERVICES:
        if folder.name != "console":
            assert not siblings & set(project(folder)["dependencies"]), folder


def test_servers_are_no_dependency_of_the_product() -> None:
    assert not [f for f in DISTRIBUTIONS if "crm-servers" in project(f)["dependencies"]]


def project(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    return content


def listed(section: str, option: str) -> set[str]:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    return set(contracts[section][option].split())


def editables(path: Path) -> set[str]:
    return set(_editable_lines(path))


def _editable_lines(path: Path) -> Iterator[str]:
    for line in path.read_text().splitlines():
        if line.startswith("-e "):
            yield line.removeprefix("-e ")
