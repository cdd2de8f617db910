"""R1: commands over HTTP, durable when answered, beside single-row inserts by pgbench."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from statistics import median
from typing import Final, TypeVar
from urllib.parse import urlsplit

import psutil
import psycopg
from crm_events.ids import new_id
from crm_servers.postgres import programs

from tests.bench.ground import Ground, fresh_namespace
from tests.bench.measuring import Bars, Bench, NotDone, Sides
from tests.bench.wire import Wire
from tests.support.processes import Processes, master_key_in

T = TypeVar("T")
CONNECTIONS: Final = 8
_STAGES: Final = ("meet", "need", "offer", "talk", "agree", "sign")
_DEALS, _QUICK_DEALS = 240, 16
_INSERTS, _QUICK_INSERTS = 500, 50
_INSERT: Final = "INSERT INTO raw (key, value) VALUES (:client_id, repeat('value ', 50));\n"
_TPS: Final = re.compile(r"^tps = ([0-9.]+) \(without", re.MULTILINE)


class Inserting:
    """pgbench: one prepared insert a transaction, as many clients as there are connections."""

    def __init__(self, place: Ground, dsn: str) -> None:
        self._dsn = dsn
        self._inserts = place.size(_INSERTS, _QUICK_INSERTS)
        self._script = place.folder() / "insert.sql"
        self._script.write_text(_INSERT)

    def prepare(self) -> None:
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            connection.execute(
                "CREATE TABLE raw (id bigserial PRIMARY KEY, key integer, value text)"
            )

    def baseline(self) -> float:
        command = [str(programs() / "pgbench"), "-n", "-M", "prepared", "-c", str(CONNECTIONS)]
        done = subprocess.run(
            [*command, "-j", "1", "-t", str(self._inserts), "-f", str(self._script), self._dsn],
            capture_output=True,
            text=True,
            check=False,
        )
        found = _TPS.search(done.stdout)
        if done.returncode != 0 or found is None:
            raise NotDone(f"pgbench failed: {done.stderr.strip() or done.stdout}")
        return float(found[1])


def at_once(port: int, work: Callable[[Wire, int], T]) -> list[T]:
    """What each connection's share of the work answers; the shares are numbered."""
    with ExitStack() as stack, ThreadPoolExecutor(CONNECTIONS) as threads:
        wires = [stack.enter_context(Wire(port)) for _ in range(CONNECTIONS)]
        return list(threads.map(work, wires, range(CONNECTIONS)))


class Commanding:
    """Every round opens deals, which is not timed, and advances each through all stages."""

    def __init__(self, place: Ground, port: int) -> None:
        self._port = port
        self._each = place.size(_DEALS, _QUICK_DEALS) // CONNECTIONS
        self._open: list[list[str]] = []
        self._costs: list[float] = []

    def prepare(self) -> None:
        with Wire(self._port) as wire:
            stages = [{"key": key, "probability": 0.5} for key in _STAGES]
            _command(wire, "/pipelines", {"key": "sales", "stages": stages})

    def before(self) -> None:
        self._open = at_once(self._port, lambda wire, _: [_opened(wire) for _ in range(self._each)])

    def ours(self) -> float:
        started, before = time.perf_counter(), cpu_of_service()
        moved = sum(at_once(self._port, lambda wire, nth: _advanced(wire, self._open[nth])))
        seconds = time.perf_counter() - started
        self._costs.append((cpu_of_service() - before) / moved)
        return moved / seconds

    def told(self) -> str:
        """What a command costs where it is decided, whatever else the machine has to do."""
        return f"CPU of the service for a command: {median(self._costs) * 1000:.2f} ms"


def cpu_of_service() -> float:
    """Seconds of processor time that the process started here has taken up to now."""
    started_here = psutil.Process().children()
    service = next(each for each in started_here if each.cmdline()[-1] == "serve")
    taken = service.cpu_times()
    return float(taken.user + taken.system)


def _command(wire: Wire, path: str, body: dict[str, object]) -> bytes:
    return wire.post(f"/v1/pipeline{path}", body, str(new_id()))


def _opened(wire: Wire) -> str:
    body: dict[str, object] = {"pipeline": "sales", "amount": {"amount": "900", "currency": "EUR"}}
    return str(json.loads(_command(wire, "/deals", body))["id"])


def _advanced(wire: Wire, deals: list[str]) -> int:
    """One stage after the other, so that a deal's commands are not neighbours."""
    for stage in _STAGES[1:]:
        for deal in deals:
            _command(wire, f"/deals/{deal}:advance", {"stage": stage})
    return len(deals) * (len(_STAGES) - 1)


@contextmanager
def _opened_bench(place: Ground) -> Iterator[Sides]:
    folder = place.folder()
    with place.database() as dsn:
        told = {
            "CRM_NAMESPACE": fresh_namespace(),
            "CRM_POSTGRES": dsn,
            "CRM_KEYS": dsn,
            "CRM_MASTER_KEY_FILE": str(master_key_in(folder)),
        }
        with closing(Processes(folder, told)) as processes:
            processes.done("pipeline", "migrate")
            port = int(urlsplit(processes.up("pipeline", "serve")).port or 0)
            commanding, inserting = Commanding(place, port), Inserting(place, dsn)
            commanding.prepare()
            inserting.prepare()
            commanding.before()
            yield Sides(commanding.ours, inserting.baseline, commanding.before, commanding.told)


COMMANDING = Bench(
    "R1",
    "command over HTTP, 8 connections / pgbench insert, 8 clients",
    "commands/s",
    _opened_bench,
    Bars(0.15, 0.30),
)
