"""The next version of this program: its packages in a folder of their own, with two events changed
there as a developer would change them. Processes that are told of the folder are of that version.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crm_servers.settings import with_ours

from tests.faults import evidence as records
from tests.faults.collecting import collected
from tests.faults.deployment import Deployment
from tests.faults.evidence import Evidence
from tests.faults.report import ROOT
from tests.faults.settling import beside

_CONTRACTS: Final = "crm_events/contracts"
_UPCASTS: Final = "UPCASTS: Final[Upcasts] = {\n"
CHANGED: Final = ("crm.pipeline.OrderAmended.v2", "crm.contacts.LeadConverted.v3")
"""What only the next version knows."""


class NotAsExpected(LookupError):
    """A place that the next version changes is not there; the message names the file."""


@dataclass(frozen=True, slots=True)
class Edit:
    file: str
    old: str
    new: str


_EDITS: Final[Sequence[Edit]] = (
    Edit(
        f"{_CONTRACTS}/pipeline.py",
        'class OrderAmended(Event, context="pipeline"):\n',
        'class OrderAmended(Event, context="pipeline", version=2):\n    channel: Key = "desk"\n',
    ),
    Edit(
        f"{_CONTRACTS}/contacts.py",
        'class LeadConverted(Event, context="contacts", version=2):\n',
        'class LeadConverted(Event, context="contacts", version=3):\n',
    ),
    Edit(
        "crm_events/upcasting.py",
        _UPCASTS,
        f"{_UPCASTS}"
        '    "crm.pipeline.OrderAmended.v1": Lift("crm.pipeline.OrderAmended.v2", unchanged),\n'
        '    "crm.contacts.LeadConverted.v2": Lift("crm.contacts.LeadConverted.v3", unchanged, '
        '("title",)),\n',
    ),
)


def next_version(folder: Path) -> Mapping[str, str]:
    """Made there; what a process is told to be of it. Raises NotAsExpected."""
    for package in sorted([*ROOT.glob("libs/*/crm_*"), *ROOT.glob("services/*/crm_*")]):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(package, folder / package.name, ignore=ignored)
    for edit in _EDITS:
        _change(folder, edit)
    return {"PYTHONPATH": str(folder)}


def _change(folder: Path, edit: Edit) -> None:
    file = folder / edit.file
    text = file.read_text()
    if text.count(edit.old) != 1:
        raise NotAsExpected(f"{edit.file} does not hold {edit.old!r} once; change the edit.")
    file.write_text(text.replace(edit.old, edit.new))


def collected_by(deployment: Deployment, told: Mapping[str, str]) -> Evidence:
    """The evidence of a deployment at rest, taken by a process of that version."""
    folder = deployment.folder / "collected"
    folder.mkdir()
    there = {
        "namespace": deployment.namespace,
        "folder": str(folder),
        "told": dict(deployment.told),
        "roles": list(deployment.roles),
        "publishing": sorted(deployment.publishing),
    }
    command = [sys.executable, "-m", "tests.faults.versions", json.dumps(there)]
    subprocess.run(command, check=True, cwd=ROOT, env=with_ours(told))
    (folder / records.HISTORY).touch()
    return records.load(folder)


def main(told: str) -> None:
    """Take the evidence of a namespace's stores, topics and views into a folder."""
    there = json.loads(told)
    known = there | {"folder": Path(there["folder"]), "roles": dict.fromkeys(there["roles"])}
    deployment = Deployment(**known)
    with beside(deployment) as opened:
        opened.wait_readable()
        records.save(collected(opened), deployment.folder)


if __name__ == "__main__":
    main(sys.argv[1])
