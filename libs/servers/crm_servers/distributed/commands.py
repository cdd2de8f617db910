"""`up` and `down`: which form, and what is said to the person who called."""

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from crm_servers.distributed.containers import Containers
from crm_servers.distributed.folder import NAME, Folder
from crm_servers.distributed.processes import Processes
from crm_servers.distributed.topology import roles
from crm_servers.errors import ServerUnavailable
from crm_servers.places.container import engine_answers
from crm_servers.ports import LOOPBACK
from crm_servers.settings import up_form, up_port

ROOT = Path(__file__).resolve().parents[4]
FORMS = ("processes", "docker")


def up(scale: Sequence[str]) -> None:
    """Starts the distributed form, or says where it is if it is up. Raises ServerUnavailable."""
    chosen = up_form() or ("docker" if _docker() else "processes")
    form = _form(chosen)
    for name in FORMS:
        if name != chosen and _running(name):
            raise ServerUnavailable(f"it is up as {name}; call make down first")
    if chosen == "processes" and form.running():
        print("it is up already; make down first to start it with other code or copies")
    else:
        form.up(copies_of(scale))
    _tell(chosen)


def down(*, with_data: bool = False) -> None:
    """Stops what `up` started, in whichever form; its data goes only when that is asked for."""
    running = [name for name in FORMS if _running(name)]
    for name in running:
        _form(name).down()
    print("stopped" if running else "nothing is up", end="; ")
    if with_data:
        _forget()
    print("its data is gone" if with_data else "its data stays (down --data removes it)")


def _forget() -> None:
    for name in FORMS:
        if not (ROOT / NAME / name).is_dir():
            continue
        if name == "docker" and not _docker():
            raise ServerUnavailable(
                "the volumes stay: no engine answers; start it, or point DOCKER_HOST at it"
            )
        _form(name).forget()
        shutil.rmtree(ROOT / NAME / name)


def _running(name: str) -> bool:
    """Asks without making a folder for a form that was never started here."""
    if not (ROOT / NAME / name).is_dir():
        return False
    if name == "docker" and not _docker():
        print("no Docker engine answers: what may run there is left alone", file=sys.stderr)
        return False
    return _form(name).running()


def _form(name: str) -> Containers | Processes:
    folder, deploy = ROOT / NAME / name, ROOT / "deploy"
    if name == "docker":
        return Containers(Folder(folder), deploy, up_port())
    if name == "processes":
        return Processes(Folder(folder), deploy, up_port())
    raise ServerUnavailable(f"CRM_UP={name} is no form; set it to docker or processes")


def _docker() -> bool:
    """An engine that answers, and the Compose plugin to tell it what to do."""
    if shutil.which("docker") is None or not engine_answers():
        return False
    asked = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    return asked.returncode == 0


def copies_of(scale: Sequence[str]) -> Mapping[str, int]:
    """`["contacts-api=2"]` as {"contacts-api": 2}."""
    names = {role.name for role in roles()}
    copies = {}
    for word in scale:
        name, _, count = word.partition("=")
        if name not in names or not count.isdecimal() or count == "0":
            raise ServerUnavailable(
                f"--scale {word} does not fit; write ROLE=COPIES with a role of {sorted(names)}"
            )
        copies[name] = int(count)
    return copies


def _tell(form: str) -> None:
    folder = Folder(ROOT / NAME / form)
    logs = "docker compose logs" if form == "docker" else str(folder.logs.relative_to(ROOT))
    print(f"""\
The CRM is up ({form}) at http://{LOOPBACK}:{up_port()}, logs: {logs}
Point the command at it:
  export CRM_SERVER=http://{LOOPBACK}:{up_port()} CRM_TOKEN=$(cat {folder.token.relative_to(ROOT)})
  .venv/bin/crm view funnel
make down stops it; its data stays.""")
