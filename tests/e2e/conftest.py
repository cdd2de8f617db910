"""One deployment of each form, with the reference files imported, for every test of figures."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from crm_servers.distributed.commands import ROOT
from crm_servers.distributed.folder import Folder
from crm_servers.distributed.processes import Processes
from crm_servers.ports import LOOPBACK, free_port

from tests.support.commanding import Crm, Done
from tests.support.reference import reference_data

COPIES = {"contacts-relay": 2, "pipeline-react": 2, "projections-funnel": 2}
"""Roles of the distributed form that run more than once."""


_FIRST = ("test_reference_figures", "test_evidence", "test_erasure")
"""Published figures are of a deployment that nobody else has written to; the troubles come last."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = [at for at, item in enumerate(items) if item.path.parent == Path(__file__).parent]
    for at, item in zip(places, sorted((items[at] for at in places), key=_rank), strict=True):
        items[at] = item


def _rank(item: pytest.Item) -> int:
    return _FIRST.index(item.path.stem) if item.path.stem in _FIRST else len(_FIRST)


@dataclass(frozen=True, slots=True)
class Deployment:
    """A running CRM; `home` is its folder where it is the embedded form."""

    form: str
    crm: Crm
    folder: Path


@pytest.fixture(scope="session")
def _scratch() -> Iterator[Path]:
    """Outside pytest's own folders, which PostgreSQL's account may not enter."""
    folder = Path(tempfile.mkdtemp(prefix="crm-e2e-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def embedded(_scratch: Path) -> Deployment:
    """Everything in the command's own process, over one folder."""
    home = _scratch / "home"
    return Deployment("embedded", Crm(("--home", str(home))), home)


@pytest.fixture(scope="session")
def distributed(_scratch: Path) -> Iterator[Deployment]:
    """Every role as a process of its own over Kafka and PostgreSQL, behind the gateway."""
    folder, port = Folder(_scratch / "up"), free_port()
    processes = Processes(folder, ROOT / "deploy", port)
    try:
        processes.up(COPIES)
        environment = {
            "CRM_SERVER": f"http://{LOOPBACK}:{port}",
            "CRM_TOKEN": folder.token.read_text(),
            "CRM_HOME": str(folder.path),
        }
        yield Deployment("distributed", Crm((), environment), folder.path)
    finally:
        processes.down()


@pytest.fixture(scope="session", params=["embedded", "distributed"])
def deployment(request: pytest.FixtureRequest) -> Deployment:
    found: Deployment = request.getfixturevalue(request.param)
    return found


IMPORTS: tuple[tuple[str, ...], ...] = (
    ("staff", "maven_crm/sales_teams.csv"),
    ("organisations", "maven_crm/accounts.csv"),
    ("products", "maven_crm/products.csv"),
    (
        "deals",
        "maven_crm/sales_pipeline.csv",
        *("--stages", "Prospecting,Engaging", "--won", "Won", "--lost", "Lost"),
    ),
    ("tickets", "pwc_call_center/call_center.csv"),
    ("orders", "cdnow/CDNOW_master.txt"),
)


@pytest.fixture(scope="session")
def imported(deployment: Deployment) -> Deployment:
    """The deployment with every reference file imported."""
    for kind, file, *options in IMPORTS:
        done = bring(deployment, kind, file, *options)
        assert (done.code, done.json["refused"]) == (0, 0), done.err
    return deployment


def bring(deployment: Deployment, kind: str, file: str, *options: str) -> Done:
    return deployment.crm("import", kind, reference_data(file), *options, "-o", "json")
