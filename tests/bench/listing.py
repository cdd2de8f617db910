"""R6: pages of 50 deals out of many over HTTP, beside FastAPI's own hello: the first page again and
again, and pages that differ, each far from the one before it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from itertools import cycle, islice
from statistics import median
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from crm_events.clock import utc_now
from crm_events.codec import Codec
from crm_projections.engine.database import postgres_database
from crm_projections.engine.feeds import store_feeds
from crm_projections.engine.host import ViewHost
from crm_projections.facts.instants import Reporting
from crm_projections.views.funnel.projector import FunnelView
from crm_servers.ports import LOOPBACK, free_port
from prometheus_client import CollectorRegistry

from tests.bench.commanding import cpu_of_service
from tests.bench.deals import fill_with_open_deals
from tests.bench.ground import Ground, fresh_namespace
from tests.bench.measuring import Bars, Bench, NotDone, Sides
from tests.bench.stores import sqlite_store
from tests.bench.wire import Wire
from tests.support.processes import Processes, master_key_in
from tests.support.waiting import wait_until

CONNECTIONS: Final = 8
_DEALS, _QUICK_DEALS = 100_000, 500
_PAGES, _QUICK_PAGES = 1_600, 80
_SPREAD, _QUICK_SPREAD = 400, 8
_LIST: Final = "/v1/views/funnel/units?pipeline=sales&limit=50"
_SECONDS = 600.0


class Listing:
    """Both sides are asked by the same client, over as many connections."""

    def __init__(self, ports: tuple[int, int], paths: Sequence[str], pages: int) -> None:
        """`ports` are ours and hello's; `paths` are asked for in turns."""
        self._port, self._hello_port = ports
        self._paths = paths
        self._each = pages // CONNECTIONS
        self._costs: list[float] = []

    def ours(self) -> float:
        before = cpu_of_service()
        rate = self._rate(self._port, self._paths, self._check)
        self._costs.append((cpu_of_service() - before) / (self._each * CONNECTIONS))
        return rate

    def told(self) -> str:
        """What a page costs where it is answered, whatever else the machine has to do."""
        return f"CPU of the service for a page: {median(self._costs) * 1000:.2f} ms"

    def baseline(self) -> float:
        return self._rate(self._hello_port, ["/hello"], len)

    def _check(self, answer: bytes) -> int:
        page = json.loads(answer)
        if len(page["rows"]) != 50 or page["next"] is None:
            raise NotDone(f"a page has {len(page['rows'])} deals")
        return len(answer)

    def _rate(self, port: int, paths: Sequence[str], check: Callable[[bytes], object]) -> float:
        """Requests a second; the first answer of each connection is looked at."""

        def ask(wire: Wire) -> int:
            asked = islice(cycle(paths), self._each)
            check(wire.get(next(asked)))
            for path in asked:
                wire.get(path)
            return self._each

        with ExitStack() as stack, ThreadPoolExecutor(CONNECTIONS) as threads:
            wires = [stack.enter_context(Wire(port)) for _ in range(CONNECTIONS)]
            started = time.perf_counter()
            done = sum(threads.map(ask, wires))
            return done / (time.perf_counter() - started)


async def _filled(place: Ground, dsn: str, namespace: str, deals: int) -> None:
    """The funnel's tables with so many deals, by the engine as ever."""
    with (
        sqlite_store(place, "contacts") as contacts,
        sqlite_store(place, "pipeline") as pipeline,
        closing(postgres_database(dsn, namespace)) as database,
    ):
        head = fill_with_open_deals(pipeline, deals)
        recorders = {"contacts": contacts.recorder, "pipeline": pipeline.recorder}
        view = FunnelView(Reporting(ZoneInfo("UTC"), "EUR"))
        feeds, registry = store_feeds(recorders), CollectorRegistry()
        host = ViewHost(database, Codec(pipeline.keys), [view], feeds, utc_now, registry)
        await host.prepare()
        try:
            await host.start()
            if not await host.wait_caught_up({"pipeline": head}, _SECONDS):
                raise NotDone(f"the funnel is not filled: {host.failed() or 'stuck'}")
        finally:
            await host.stop()


@contextmanager
def _hello() -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.hello", str(port)])
    try:
        wait_until(lambda: _answers(port), "FastAPI's hello answers", 30)
        yield port
    finally:
        process.terminate()
        process.wait(15)


def _answers(port: int) -> bool:
    try:
        with Wire(port) as wire:
            return bool(wire.get("/hello"))
    except OSError:
        return False


def _spread(port: int, pages: int) -> list[str]:
    """As many pages, one behind the other; told so that a page does not follow its neighbour."""
    paths = [_LIST]
    with Wire(port) as wire:
        while len(paths) < pages and (following := json.loads(wire.get(paths[-1]))["next"]):
            paths.append(f"{_LIST}&cursor={following}")
    half = len(paths) // 2
    return [path for pair in zip(paths[:half], paths[half:], strict=False) for path in pair]


@contextmanager
def _opened(place: Ground, *, spread: bool) -> Iterator[Sides]:
    folder, namespace = place.folder(), fresh_namespace()
    with place.database() as dsn, ExitStack() as stack:
        told = {
            "CRM_NAMESPACE": namespace,
            "CRM_POSTGRES": dsn,
            "CRM_KEYS": dsn,
            "CRM_MASTER_KEY_FILE": str(master_key_in(folder)),
            "CRM_KAFKA": f"{LOOPBACK}:9",
        }
        processes = stack.enter_context(closing(Processes(folder, told)))
        processes.done("projections", "migrate")
        asyncio.run(_filled(place, dsn, namespace, place.size(_DEALS, _QUICK_DEALS)))
        port = int(urlsplit(processes.up("projections", "serve")).port or 0)
        pages = place.size(_PAGES, _QUICK_PAGES)
        paths = _spread(port, place.size(_SPREAD, _QUICK_SPREAD)) if spread else [_LIST]
        listing = Listing((port, stack.enter_context(_hello())), paths, pages)
        yield Sides(listing.ours, listing.baseline, proof=listing.told)


LISTING: Final = Bench(
    "R6",
    "a page of 50 deals of 100,000 over HTTP / FastAPI's hello",
    "requests/s",
    partial(_opened, spread=False),
    Bars(0.25, 0.45),
)
SPREAD: Final = Bench(
    "R6-spread",
    "pages that differ, of 50 deals of 100,000 / FastAPI's hello",
    "requests/s",
    partial(_opened, spread=True),
    Bars(0.25, 0.45),
)
