"""Kafka's jars: which ones is written down with their hashes; they are fetched once per user."""

import hashlib
import shutil
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from pathlib import Path

import platformdirs
from jgo.config import GlobalSettings
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import Artifact, MavenContext
from requests import RequestException

from crm_servers.errors import ServerUnavailable

KAFKA = "4.3.0"
LOCK = Path(__file__).with_name("kafka.lock")
AT_ONCE = 6
REMEDY = (
    "let this machine reach Maven Central (or a mirror named in ~/.config/jgo.conf) and run "
    "`python -m crm_servers warm` once, or set CRM_KAFKA to a broker that runs"
)


@dataclass(frozen=True)
class Jar:
    """One line of the lock: `group:artifact:version sha256`."""

    coordinate: str
    sha256: str


def locked_jars() -> list[Jar]:
    return [Jar(*line.split()) for line in LOCK.read_text().splitlines()]


def cache_folder() -> Path:
    return Path(platformdirs.user_cache_dir("crm-servers"))


def jar_folder() -> Path:
    """The folder of all jars of Kafka; what is missing is downloaded first, with progress."""
    folder = cache_folder() / f"kafka-{KAFKA}-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone(folder.parent / "lock"):
        if not folder.is_dir():
            _fill(folder)
    return folder


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        flock(lock, LOCK_EX)
        yield


def _fill(folder: Path) -> None:
    """Downloads beside the folder and renames it into place: it is there whole or not at all."""
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    (partial / "jars").mkdir(parents=True)
    context = _maven(partial / "maven")
    started, jars, size = time.monotonic(), locked_jars(), 0
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for done, path in enumerate(threads.map(lambda jar: fetch(context, jar), jars), start=1):
            size += path.stat().st_size
            path.replace(partial / "jars" / path.name)
            _tell(done, len(jars), size, started)
    (partial / "jars").replace(folder)
    shutil.rmtree(partial)


def _maven(cache: Path) -> MavenContext:
    repositories = {"central": MAVEN_CENTRAL_URL, **GlobalSettings.load().repositories}
    return MavenContext(repo_cache=cache, local_repos=[], remote_repos=repositories, timeout=60)


def artifact_of(context: MavenContext, coordinate: str) -> Artifact:
    group, name, version = coordinate.split(":")
    return context.project(group, name).at_version(version).artifact()


def fetch(context: MavenContext, jar: Jar) -> Path:
    try:
        path = artifact_of(context, jar.coordinate).resolve()
    except (RequestException, RuntimeError, OSError) as error:
        raise ServerUnavailable(
            f"could not download {jar.coordinate} ({error}); {REMEDY}"
        ) from error
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != jar.sha256:
        raise ServerUnavailable(
            f"{jar.coordinate} arrived with SHA-256 {found}, not {jar.sha256}: "
            f"do not use that source; {REMEDY}"
        )
    return path


def _tell(done: int, total: int, size: int, started: float) -> None:
    seconds = time.monotonic() - started
    line = f"Apache Kafka {KAFKA}: {done} of {total} jars, {size / 1e6:.0f} MB, {seconds:.0f} s"
    if sys.stderr.isatty():
        print(line, end="\n" if done == total else "\r", file=sys.stderr, flush=True)
    elif done % 10 == 0 or done == total:
        print(line, file=sys.stderr, flush=True)
