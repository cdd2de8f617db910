"""A power cut in the middle of writing: the embedded form's files as a disk may leave them.

A disk keeps what it was asked to keep before an answer was given, and of what was being written
then any part, followed by nothing, by zeros or by rubbish. Sizes of the write-ahead logs are noted
with each acknowledgement, so every cut made later is one that a power cut could have made.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from pwd import getpwuid
from random import Random
from typing import Final

from crm_service.principals import local_user

from tests.e2e.speaking import serving, speaking
from tests.e2e.stores import stores_of_home
from tests.faults.collecting import stored_of
from tests.faults.evidence import HISTORY, Evidence, Operation, save
from tests.faults.ground import Ground
from tests.faults.invariants import INVARIANTS, Verdict, check
from tests.faults.journal import Command, Journal
from tests.faults.trial import Outcome, told
from tests.support.commanding import Crm

NAME: Final = "torn-writes"
SHORT, LONG = 40, 300
_COMMANDS: Final = 60
_TAILS: Final = ("nothing", "zeros", "rubbish")
_TORN, _KEYS = "contacts.db", "keys.db"
_LOG: Final = "-wal"
_WHOLE: Final = 10
"""Every so manieth cut is taken up by the program itself, which is then asked something."""


class Moved(Exception):
    """A write-ahead log was begun again while its sizes were noted, so no cut is known to be one
    that could have been."""


@dataclass(frozen=True, slots=True)
class Noted:
    """Operations in the order of their answers, and the size of each log at each answer."""

    home: Path
    operations: Sequence[Operation]
    sizes: Sequence[Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Cut:
    """Between the answers of two operations, so many bytes of the log, and what lies behind."""

    answered: int
    size: int
    tail: str
    taken_up: bool = False


def run(place: Ground, seed: int, *, long: bool) -> Outcome:
    """What was acknowledged before the power went is there, what was being written is there whole
    or not at all, and nothing else is damaged."""
    folder = place.runs / NAME.replace("-", "_")
    folder.mkdir()
    chance = Random(seed)
    noted = _written(place.folder / "torn", folder)
    total = {name: Verdict() for name in INVARIANTS}
    count = LONG if long else SHORT
    for number in range(count):
        cut = replace(_chosen(noted, chance), taken_up=number % _WHOLE == 0)
        evidence = _after(noted, cut, chance)
        _kept(evidence, folder / f"cut-{number:03}")
        _add(total, check(evidence))
    seen = _too_early(noted, chance)
    total["I1"].note(seen, "a cut that took something acknowledged was not seen")
    told(f"{count} cuts of a log of {noted.sizes[-1][_TORN]} bytes")
    return Outcome(NAME, 1, total, {"cuts": count, "commands": len(noted.operations)})


# --- what is written ---


def _written(home: Path, folder: Path) -> Noted:
    """Raises Moved."""
    with serving(home) as served, speaking(served.wait_listening()) as client:
        by = local_user(getpwuid(os.getuid()).pw_name)
        with closing(Journal(folder / HISTORY, lambda _: client, by)) as journal:
            _captured(journal)
            before = _sums(home)
            sizes = [_sizes(home)]
            for _ in range(_COMMANDS):
                _captured(journal)
                sizes.append(_sizes(home))
        served.kill()
    if _sums(home) != before or any(a[_TORN] > b[_TORN] for a, b in pairwise(sizes)):
        raise Moved("the log was taken into its file; note fewer commands")
    return Noted(home, sorted(journal.operations(), key=lambda o: o.ended or 0.0), sizes)


def _captured(journal: Journal) -> None:
    told_of = {"name": "Ada", "source": "flow"}
    journal.say(Command("capture", "/v1/contacts/leads", told_of, 1, {}))


def _sizes(home: Path) -> dict[str, int]:
    return {file.name: _log(file).stat().st_size for file in _written_to(home)}


def _written_to(home: Path) -> list[Path]:
    return [file for file in home.glob("*.db") if _log(file).exists()]


def _log(file: Path) -> Path:
    return file.with_name(file.name + _LOG)


def _sums(home: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in home.glob("*.db")}


# --- what is left ---


def _chosen(noted: Noted, chance: Random) -> Cut:
    """The first size belongs to the first operation."""
    answered = chance.randrange(len(noted.sizes) - 1)
    first, last = (noted.sizes[answered + more][_TORN] for more in (0, 1))
    return Cut(answered + 1, chance.randint(first, last), chance.choice(_TAILS))


def _after(noted: Noted, cut: Cut, chance: Random) -> Evidence:
    copy = _torn(noted, cut, chance)
    if cut.taken_up:
        _taken_up(copy)
    operations = [
        o if index < cut.answered else replace(o, outcome="unknown", ended=None)
        for index, o in enumerate(noted.operations)
    ]
    with stores_of_home(copy) as stores:
        evidence = Evidence(operations, list(stored_of(stores.recorders)))
    for file in copy.glob("*.db"):
        assert _sound(file), f"{file.name} is damaged after {cut}"
    shutil.rmtree(copy)
    return evidence


def _torn(noted: Noted, cut: Cut, chance: Random) -> Path:
    """Keys are kept before what is sealed with them is written; everything else is as it was when
    the last answer was given."""
    home, copy = noted.home, noted.home.with_name("after")
    shutil.copytree(home, copy, ignore=shutil.ignore_patterns("lock", "*-shm"))
    for name, size in noted.sizes[cut.answered - 1].items():
        if name != _KEYS:
            os.truncate(_log(copy / name), size)
    log = _log(home / _TORN).read_bytes()
    rest = len(log) - cut.size
    tails = {"nothing": b"", "zeros": bytes(rest), "rubbish": chance.randbytes(rest)}
    _log(copy / _TORN).write_bytes(log[: cut.size] + tails[cut.tail])
    return copy


def _taken_up(home: Path) -> None:
    """The program itself goes on from there."""
    crm = Crm(("--home", str(home)))
    crm.view("funnel")
    with stores_of_home(home) as stores:
        assert stores.differences() == {}


def _sound(file: Path) -> bool:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def _too_early(noted: Noted, chance: Random) -> bool:
    """Whether it is seen that a disk lost what it was asked to keep."""
    last = len(noted.sizes) - 1
    lost = Cut(last + 1, noted.sizes[last - 1][_TORN], "nothing")
    return check(_after(noted, lost, chance))["I1"].violated > 0


# --- what is kept ---


def _kept(evidence: Evidence, folder: Path) -> None:
    folder.mkdir()
    lines = (json.dumps(asdict(operation)) + "\n" for operation in evidence.operations)
    (folder / HISTORY).write_text("".join(lines))
    save(evidence, folder)


def _add(total: Mapping[str, Verdict], found: Mapping[str, Verdict]) -> None:
    for name, verdict in found.items():
        total[name].checked += verdict.checked
        total[name].violated += verdict.violated
        total[name].examples += verdict.examples
