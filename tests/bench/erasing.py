"""`python -m tests.bench.erasing [SUBJECTS]`: what it takes to erase one subject among many.

Embedded, on SQLite files, with nothing left out: leads come in as `crm import` sends them, and each
erasure is what `crm erase` does once it has started: state, destroy the key, wait for the views,
look again, certify. Processor time is that of the whole process, views and reactions among it.
"""

from __future__ import annotations

import hashlib
import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Final, Self

from crm_console.embedded.inside import inside, local_settings, logged
from crm_console.erasing.erasure import erase
from crm_console.erasing.finding import find
from crm_console.home import Home
from crm_console.settling import settle
from crm_console.transport import ServerSaid, Transport
from crm_events.clock import utc_now
from crm_service.settings import ServiceSettings

_SUBJECTS: Final = 100_000
_ERASED: Final = 11
_ROWS: Final = 1_000
_PATIENCE: Final = 20
_LEADS: Final = "/v1/contacts/imports/leads"
_GROUNDS: Final = {"reason": "request", "reference": None}


@dataclass
class Spent:
    """Seconds by the clock and of processor time, one pair for each erasure."""

    clock: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def line(self, name: str) -> str:
        wall, cpu = statistics.median(self.clock), statistics.median(self.processor)
        return (
            f"{name}: {wall * 1e3:,.0f} ms by the clock ({max(self.clock) * 1e3:,.0f} at the most),"
            f" {cpu * 1e3:,.0f} ms of processor time ({max(self.processor) * 1e3:,.0f})"
        )


@contextmanager
def timed(spent: Spent) -> Iterator[None]:
    clock, processor = time.monotonic(), time.process_time()
    yield
    spent.clock.append(time.monotonic() - clock)
    spent.processor.append(time.process_time() - processor)


class Watched:
    """A transport that keeps what one kind of request takes."""

    def __init__(self, inner: Transport, ending: str) -> None:
        self._inner = inner
        self._ending = ending
        self.spent = Spent()

    def send(self, method: str, path: str, **said: Any) -> Any:
        if not path.endswith(self._ending):
            return self._inner.send(method, path, **said)
        with timed(self.spent):
            return self._inner.send(method, path, **said)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def _rows(first: int, last: int) -> Iterator[Mapping[str, Any]]:
    for number in range(first, last):
        values = {"name": f"Person {number}", "email": f"{number}@example.org", "source": "fair"}
        hashed = hashlib.sha256(repr(values).encode()).hexdigest()
        yield {"line": number + 2, "key": f"l{number}", "row_hash": hashed, "values": values}


def _sent(transport: Transport, body: Mapping[str, Any]) -> Any:
    """As `crm import` does: what a busy machine could not take is sent again, under its keys."""
    for _ in range(_PATIENCE):
        with suppress(ServerSaid):
            return transport.send("POST", _LEADS, body=body)
    return transport.send("POST", _LEADS, body=body)


def _bring(transport: Transport, subjects: int) -> list[str]:
    """The ids of as many leads, each of a person of its own."""
    ids: list[str] = []
    for first in range(0, subjects, _ROWS):
        body = {"source": "bench", "rows": list(_rows(first, min(first + _ROWS, subjects)))}
        ids += [result["id"] for result in _sent(transport, body)["results"]]
    settle(transport, patience=600)
    return ids


def _measure(transport: Transport, subjects: int) -> None:
    ids = _bring(transport, subjects)
    whole, watched = Spent(), Watched(transport, ":erase")
    for lead in ids[:: max(1, subjects // _ERASED)][:_ERASED]:
        with timed(whole):
            certificate = erase(watched, find(watched, lead), _GROUNDS, utc_now())
        assert certificate["after"]["unchanged"]
    print(f"one of {subjects:,} subjects, median of {_ERASED}:")
    print(watched.spent.line("  key destroyed, event and register stored"))
    print(whole.line("  all of it, with the views' refresh and the certificate"))


def main(subjects: int) -> None:
    settings = local_settings(ServiceSettings(currency="USD", timezone="UTC"))
    with TemporaryDirectory(prefix="crm-bench-") as made:
        home = Home(Path(made) / "home")
        with home.held(), logged(home, settings), inside(home, settings) as transport:
            _measure(transport, subjects)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else _SUBJECTS)
