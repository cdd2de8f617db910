"""R9: what encryption, idempotency and a sealed log cost a command, from request to answer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final

import psycopg
from crm_events.audit.keyfile import make_key
from crm_events.ids import new_id
from crm_events.sql.names import schema_name

from tests.bench.commanding import CONNECTIONS, at_once
from tests.bench.ground import Ground, fresh_namespace
from tests.bench.measuring import Bars, Bench, NotDone, Sides
from tests.bench.programs import serving
from tests.bench.wire import Wire
from tests.support.processes import Processes, master_key_in
from tests.support.waiting import wait_until

_NEW, _KNOWN, _QUICK_LEADS = 2_400, 240, 16
_TURNS: Final = ({"need": "two hundred chairs by May"}, {"reason": "no answer to three calls"})
_TIMES: Final = 8
_SECONDS: Final = 30.0
_PATH: Final = "/v1/contacts/leads"
_LEAD: Final = {
    "name": "Li Na",
    "email": "li.na@example.org",
    "phone": "+86 10 1234",
    "company": "North Trading",
    "source": "fair",
}


class Leads:
    """One server's: some are captured, and each is qualified and given up in turns."""

    def __init__(self, port: int, leads: int) -> None:
        self._port = port
        self._each = leads // CONNECTIONS
        self._known: list[list[str]] = []

    def capture(self) -> float:
        """Commands a second, each about somebody new: a key is made for every one."""
        started = time.perf_counter()
        self._known = at_once(self._port, self._captured)
        return self._each * CONNECTIONS / (time.perf_counter() - started)

    def _captured(self, wire: Wire, _: int) -> list[str]:
        answers = [wire.post(_PATH, _LEAD, str(new_id())) for _ in range(self._each)]
        return [str(json.loads(answer)["id"]) for answer in answers]

    def turn(self) -> float:
        """Commands a second about people whose keys are there."""
        started = time.perf_counter()
        done = sum(at_once(self._port, self._turned))
        return done / (time.perf_counter() - started)

    def _turned(self, wire: Wire, nth: int) -> int:
        for _ in range(_TIMES):
            for command, body in zip(("qualify", "disqualify"), _TURNS, strict=True):
                for lead in self._known[nth]:
                    wire.post(f"{_PATH}/{lead}:{command}", body, str(new_id()))
        return self._each * _TIMES * len(_TURNS)


@contextmanager
def _servers(place: Ground, leads: int) -> Iterator[tuple[Leads, Leads, Callable[[], str]]]:
    """Ours and the untaxed one, each over a schema of its own in one database."""
    folder, count = place.folder(), place.size(leads, _QUICK_LEADS)
    key = str(master_key_in(folder))
    with place.database() as dsn, ExitStack() as stack:
        found, schemas = [], []
        for module in ("crm_contacts", "tests.bench.untaxed"):
            told = {
                "CRM_NAMESPACE": fresh_namespace(),
                "CRM_POSTGRES": dsn,
                "CRM_KEYS": dsn,
                "CRM_MASTER_KEY_FILE": key,
            }
            with closing(Processes(folder, told)) as processes:
                processes.done("contacts", "migrate")
            port = stack.enter_context(serving(folder, told, module, "serve"))
            if module == "crm_contacts":
                stack.enter_context(serving(folder, told | _audited(folder), "tests.bench.sealing"))
            found.append(Leads(port, count))
            schemas.append(schema_name(told["CRM_NAMESPACE"], "contacts"))
        yield found[0], found[1], lambda: _proven(dsn, *schemas)


def _audited(folder: Path) -> dict[str, str]:
    """What the one that seals beside ours is told, as a relay is."""
    if not (folder / "audit.key").exists():
        make_key(folder / "audit.key")
    checkpoints = str(folder / "checkpoints")
    return {
        "CRM_AUDIT_KEY_FILE": str(folder / "audit.key"),
        "CRM_AUDIT_CHECKPOINTS": checkpoints,
        "CRM_AUDIT_SECONDS": "1",
    }


def _proven(dsn: str, ours: str, untaxed: str) -> str:
    """That one side encrypted, remembered and sealed everything and the other one nothing. Raises
    NotDone."""
    wait_until(lambda: _sealed(dsn, ours), "everything is under a checkpoint", _SECONDS)
    with psycopg.connect(dsn) as connection:
        stored, legible, commands = _counts(connection, ours)
        theirs, legible_there, commands_there = _counts(connection, untaxed)
    if legible or commands != stored or legible_there != theirs or commands_there:
        raise NotDone(
            f"of {stored} events with {legible} were legible and {commands} had their command; "
            f"of {theirs} without, {legible_there} and {commands_there}"
        )
    return f"{stored:,} events encrypted, remembered and sealed, {theirs:,} nothing of it"


def _sealed(dsn: str, schema: str) -> bool:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            f'SELECT (SELECT count(*) FROM "{schema}".events) = size FROM "{schema}".audit_head'
        ).fetchone()
    return row is not None and bool(row[0])


def _counts(connection: psycopg.Connection[tuple[int]], schema: str) -> tuple[int, int, int]:
    """Events, those in which what was written can be read, and remembered commands."""
    said = [_LEAD["name"], *(text for turn in _TURNS for text in turn.values())]
    legible = " OR ".join("position(convert_to(%s, 'UTF8') IN data) > 0" for _ in said)
    asked: tuple[tuple[str, str, list[str]], ...] = (
        ("events", "true", []),
        ("events", legible, said),
        ("command_log", "true", []),
    )
    counted = [
        connection.execute(f'SELECT count(*) FROM "{schema}".{table} WHERE {which}', given)
        for table, which, given in asked
    ]
    rows = [cursor.fetchone() for cursor in counted]
    stored, readable, commands = (row[0] if row else 0 for row in rows)
    return stored, readable, commands


@contextmanager
def _new(place: Ground) -> Iterator[Sides]:
    with _servers(place, _NEW) as (ours, untaxed, proof):
        ours.capture()
        untaxed.capture()
        yield Sides(ours.capture, untaxed.capture, proof=proof, turns=2)


@contextmanager
def _known(place: Ground) -> Iterator[Sides]:
    with _servers(place, _KNOWN) as (ours, untaxed, proof):

        def before() -> None:
            ours.capture()
            untaxed.capture()

        yield Sides(ours.turn, untaxed.turn, before, proof, turns=2)


_BARS = Bars(0.85, 0.93)
TAXED = (
    Bench("R9-known", "command, encrypted, idempotent, sealed / not", "commands/s", _known, _BARS),
    Bench("R9-new", "the same, each about somebody new / neither", "commands/s", _new, _BARS),
)
