"""The locks hold exactly what the distributions ask for, with a hash for every file."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.checks import ROOT

LOCKS = [ROOT / "requirements" / name for name in ("dev.lock", "service.lock")]
PEERS = ROOT / "requirements" / "peers.lock"
ENTRY = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)


def pins(lock: Path) -> dict[str, str]:
    return {canonicalize_name(name): version for name, version in ENTRY.findall(lock.read_text())}


def wanted(*, servers: bool) -> list[Requirement]:
    """What the distributions depend on outside this repository."""
    folders = sorted(ROOT.glob("[ls]*/*/pyproject.toml"))
    projects = [tomllib.loads(path.read_text())["project"] for path in folders]
    chosen = [p for p in projects if servers or p["name"] != "crm-servers"]
    asked = [Requirement(line) for project in chosen for line in project["dependencies"]]
    return [requirement for requirement in asked if not requirement.name.startswith("crm-")]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_lock_satisfies_every_distribution(lock: Path) -> None:
    pinned = pins(lock)
    for requirement in wanted(servers=lock.name == "dev.lock"):
        version = pinned.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement} is not in {lock.name}: make lock"
        assert version in requirement.specifier, f"{requirement} is locked at {version}: make lock"


def test_service_lock_is_part_of_the_development_lock() -> None:
    development, service = (pins(lock).items() for lock in LOCKS)
    assert service < development


@pytest.mark.parametrize("lock", [*LOCKS, PEERS], ids=lambda path: path.name)
def test_lock_holds_hashes_and_no_addresses(lock: Path) -> None:
    text = lock.read_text()
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(entries) == len(pins(lock))
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text


def test_engine_and_kafka_client_are_pinned_exactly() -> None:
    exact = {r.name for r in wanted(servers=True) if str(r.specifier).startswith("==")}
    assert exact == {"eventsourcing", "aiokafka"}
