"""Disks that are full: PostgreSQL's, Kafka's, and that of the embedded form."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from pwd import getpwuid
from typing import Final

from crm_servers import KafkaServer, PostgresServer
from crm_servers.kafka import wheel_kafka
from crm_servers.postgres import wheel_postgres
from crm_service.principals import local_user

from tests.e2e.speaking import serving, speaking
from tests.e2e.stores import stores_of_home
from tests.faults.collecting import stored_of
from tests.faults.evidence import HISTORY, Evidence, Healing, save
from tests.faults.ground import Ground
from tests.faults.invariants import check
from tests.faults.journal import Command, Journal, Refused, Unknown
from tests.faults.measuring import first_ok_after
from tests.faults.trial import Outcome, Trial, told, trial
from tests.support.commanding import Crm
from tests.support.waiting import wait_until

POSTGRES, KAFKA, SQLITE = "postgres-disk-full", "kafka-disk-full", "sqlite-disk-full"
CONTEXTS: Final = ("contacts", "pipeline")
_LASTS: Final = 4.0
_WELL: Final = 60.0
_BLOCK: Final = 1024 * 1024


def cannot_mount() -> str | None:
    """Why no small file system can be had here; None where it can."""
    if os.geteuid() != 0:
        return "only root can mount a small file system"
    folder = Path("/tmp") / f"crm-faults-mount-{os.getpid()}"  # noqa: S108 (removed at once)
    folder.mkdir()
    try:
        with small_disk(folder, 1):
            return None
    except subprocess.CalledProcessError as error:
        return f"a small file system cannot be mounted here: {error.stderr!r}"
    finally:
        folder.rmdir()


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[Path]:
    size = f"size={mebibytes}m"
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], check=True, capture_output=True
    )
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True, capture_output=True)


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """Nothing more can be written until the block ends; what frees itself meanwhile is taken."""
    ballast = disk / "ballast"
    _fill(ballast)
    try:
        yield
    finally:
        ballast.unlink()


def _fill(ballast: Path) -> None:
    for size in (_BLOCK, 4096, 1):
        with ballast.open("ab", buffering=0) as file:
            try:
                while file.write(b"\0" * size) == size:
                    pass
            except OSError:
                continue


@contextmanager
def _disk(place: Ground, name: str, mebibytes: int) -> Iterator[Path]:
    folder = place.folder / name
    folder.mkdir()
    with small_disk(folder, mebibytes):
        folder.chmod(0o755)
        yield folder


def postgres(place: Ground, seed: int, *, long: bool) -> Outcome:
    """Commands are refused or answered 503, none hangs; with space again all goes on."""
    with (
        _disk(place, POSTGRES, 256) as disk,
        closing(wheel_postgres(disk / "postgres").start()) as server,
        trial(replace(place, postgres=server), POSTGRES, seed, contexts=CONTEXTS) as ours,
    ):
        for _ in range(3 if long else 1):
            _filled(ours, disk, server)
        return ours.judged(POSTGRES)


def kafka(place: Ground, seed: int, *, long: bool) -> Outcome:
    """Commands go on; what could not be published is, when there is space again."""
    with (
        _disk(place, KAFKA, 160) as disk,
        closing(wheel_kafka(disk / "kafka").start()) as server,
        trial(replace(place, kafka=server), KAFKA, seed, contexts=CONTEXTS) as ours,
    ):
        for _ in range(3 if long else 1):
            _filled(ours, disk, server)
        return ours.judged(KAFKA)


def _filled(ours: Trial, disk: Path, server: KafkaServer | PostgresServer) -> None:
    with ours.arriving(30.0):
        ours.wait_for_more(30)
        with full(disk):
            ours.last_for(_LASTS)
        freed = time.monotonic()
        ended = not server.alive()
        if ended:
            server.start()
        ours.wait_for_more(30)
    operations = ours.journal.operations()
    ours.figures["server_ended"] = ours.figures.get("server_ended", 0) + int(ended)
    ours.figures["fillings"] = ours.figures.get("fillings", 0) + 1
    well = first_ok_after(operations, freed) or _WELL
    ours.figures["well_after_seconds"] = max(well, ours.figures.get("well_after_seconds", 0.0))
    ours.figures["unknown_at_first"] = len(ours.journal.of("unknown"))
    times = [o.ended - o.began for o in operations if o.ended]
    ours.figures["slowest_answer_seconds"] = round(max(times), 2)
    told(f"freed, first answer after {well} s, server ended: {ended}")
    ours.rest("the full disk", _WELL)


# --- the embedded form ---


def sqlite(place: Ground, _seed: int, *, long: bool) -> Outcome:
    """`crm serve` over a home whose disk fills up: refused at once, and no file is damaged."""
    folder = place.runs / SQLITE.replace("-", "_")
    folder.mkdir()
    evidence = Evidence()
    with _disk(place, SQLITE, 48) as disk:
        home = disk / "home"
        with serving(home) as served, speaking(served.wait_listening()) as client:
            journal = Journal(
                folder / HISTORY, lambda _: client, local_user(getpwuid(os.getuid()).pw_name)
            )
            with closing(journal):
                for _ in range(3 if long else 1):
                    slowest, refused = _filled_home(journal, disk, evidence)
                served.kill()
        Crm(("--home", str(home))).view("funnel")  # takes up what the kill left undone
        with stores_of_home(home) as stores:
            evidence.stored = list(stored_of(stores.recorders))
            differences = stores.differences()
    evidence.operations = journal.operations()
    assert differences == {}, differences
    save(evidence, folder)
    figures = {"unanswered_while_full": refused, "slowest_answer_seconds": round(slowest, 2)}
    return Outcome(SQLITE, 1, check(evidence), {"operations": len(evidence.operations), **figures})


def _filled_home(journal: Journal, disk: Path, evidence: Evidence) -> tuple[float, int]:
    for _ in range(20):
        assert _captured(journal)
    with full(disk):
        answers = [_captured(journal) for _ in range(40)]
    freed = time.monotonic()
    wait_until(lambda: _captured(journal), "it takes commands again", _WELL)
    evidence.healings.append(Healing("the embedded form", time.monotonic() - freed, _WELL))
    wait_until(lambda: _known(journal), "every outcome is known", _WELL)
    slowest = max((o.ended or o.began) - o.began for o in journal.operations())
    return slowest, answers.count(False)


def _captured(journal: Journal) -> bool:
    told_of = {"name": "Ada", "source": "flow"}
    try:
        journal.say(Command("capture", "/v1/contacts/leads", told_of, 1, {"LeadCaptured": 1}))
    except (Unknown, Refused):
        return False
    return True


def _known(journal: Journal) -> bool:
    try:
        journal.resolve()
    except Unknown:
        return False
    return True
