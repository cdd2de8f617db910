"""R1-floor: what of R1 is FastAPI itself: a row inserted through it, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.bench.commanding import CONNECTIONS, Inserting, at_once
from tests.bench.ground import Ground
from tests.bench.measuring import Bench, Sides
from tests.bench.programs import serving
from tests.bench.wire import Wire

_ROWS, _QUICK_ROWS = 1_200, 80
_VALUE: Final = "value " * 50


class PlainInserts:
    """As many connections as in R1, each waiting for one answer before it asks again."""

    def __init__(self, port: int, rows: int) -> None:
        self._port = port
        self._each = rows // CONNECTIONS

    def ours(self) -> float:
        started = time.perf_counter()
        done = sum(at_once(self._port, self._inserted))
        return done / (time.perf_counter() - started)

    def _inserted(self, wire: Wire, nth: int) -> int:
        for _ in range(self._each):
            wire.post("/rows", {"key": nth, "value": _VALUE}, "none")
        return self._each


@contextmanager
def _opened(place: Ground) -> Iterator[Sides]:
    with place.database() as dsn:
        inserting = Inserting(place, dsn)
        inserting.prepare()
        told = {"CRM_POSTGRES": dsn}
        with serving(place.folder(), told, "tests.bench.plain_api") as port:
            plain = PlainInserts(port, place.size(_ROWS, _QUICK_ROWS))
            plain.ours()
            yield Sides(plain.ours, inserting.baseline)


FLOOR = Bench(
    "R1-floor", "plain insert through FastAPI / pgbench insert, 8 clients", "rows/s", _opened
)
