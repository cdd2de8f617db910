"""R10: an outage of Kafka while commands arrive, and how fast views catch up when it is over."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Final

import httpx
from crm_servers import KafkaServer, pick_kafka

from tests.bench.arrivals import Arrivals, waited
from tests.bench.ground import Ground, fresh_namespace
from tests.bench.measuring import Bars, Bench, Sides
from tests.bench.programs import serving
from tests.support.processes import Processes, master_key_in

_OUTAGE, _QUICK_OUTAGE = 60.0, 5.0
_RATE: Final = 60.0
_SECONDS: Final = 120.0
_PROJECTOR: Final = {"CRM_VIEWS": "retention", "CRM_INSTANCE": "projections-retention"}
"""Named, as every copy is that `make up` starts."""


class Recovering:
    """Pipeline's API, its relay, the projector of retention and the views' API, each a process.

    The baseline of a round is the rate of arrival during its outage; ours is the rate at which what
    was left lying, and what arrived meanwhile, came into the view from the moment when the broker
    answered again: finding that out is part of it.
    """

    def __init__(self, kafka: KafkaServer, pipeline: int, views: int, outage: float) -> None:
        self._kafka = kafka
        self._pipeline = f"http://127.0.0.1:{pipeline}/v1/pipeline/position"
        self._views = f"http://127.0.0.1:{views}/v1/views"
        self._port = pipeline
        self._outage = outage
        self._stack = ExitStack()
        self._before = self._reached_before = 0
        self._drained: list[str] = []

    def before(self) -> None:
        """Everything that was ever stored is in the view."""
        head = self._stored()
        self._wait_for(head)

    def _wait_for(self, sequence: int) -> None:
        waited(lambda: self.reached() >= sequence, f"the view to reach {sequence}", _SECONDS, 0.005)

    def baseline(self) -> float:
        """Stops the broker; commands go on arriving until ours has come to its end."""
        arrivals = Arrivals(self._port, _RATE)
        self._kafka.stop()
        self._before, self._reached_before = self._applied(), self.reached()
        self._stack.enter_context(arrivals.arriving())
        started = time.perf_counter()
        threading.Event().wait(self._outage)
        return arrivals.answered / (time.perf_counter() - started)

    def ours(self) -> float:
        with self._stack:
            self._kafka.start()
            started, head = time.perf_counter(), self._stored()
            self._wait_for(self._reached_before + 1)
            noticed = time.perf_counter() - started
            self._wait_for(head)
            seconds, drained = time.perf_counter() - started, self._applied() - self._before
        self._drained.append(f"{drained:,} in {seconds:.2f} s, the first after {noticed:.2f} s")
        return drained / seconds

    def proof(self) -> str:
        return f"drained {'; '.join(self._drained)}. Every command was answered"

    def _stored(self) -> int:
        return int(httpx.get(self._pipeline).raise_for_status().json()["sequence"])

    def reached(self) -> int:
        found = httpx.get(f"{self._views}/position").raise_for_status().json()
        return int(found["views"]["retention"]["pipeline"])

    def _applied(self) -> int:
        found = httpx.get(self._views).raise_for_status().json()["views"]
        return int(next(view["applied"] for view in found if view["name"] == "retention"))

    def close(self) -> None:
        """Nothing arrives any more, whatever went wrong."""
        self._stack.close()


@contextmanager
def _opened(place: Ground) -> Iterator[Sides]:
    folder = place.folder()
    kafka = pick_kafka(place.folder(), own=True)
    with ExitStack() as stack:
        stack.callback(kafka.close)
        kafka.start()
        dsn = stack.enter_context(place.database())
        told = {
            "CRM_NAMESPACE": fresh_namespace(),
            "CRM_KAFKA": kafka.bootstrap,
            "CRM_POSTGRES": dsn,
            "CRM_KEYS": dsn,
            "CRM_MASTER_KEY_FILE": str(master_key_in(folder)),
            **_PROJECTOR,
        }
        with closing(Processes(folder, told)) as processes:
            processes.done("pipeline", "migrate")
            processes.done("projections", "migrate")
        pipeline = stack.enter_context(serving(folder, told, "crm_pipeline", "serve"))
        stack.enter_context(serving(folder, told, "crm_pipeline", "relay"))
        stack.enter_context(serving(folder, told, "crm_projections", "project"))
        views = stack.enter_context(serving(folder, told, "crm_projections", "serve"))
        outage = place.size(round(_OUTAGE), round(_QUICK_OUTAGE))
        recovering = Recovering(kafka, pipeline, views, outage)
        stack.callback(recovering.close)
        with Arrivals(pipeline, _RATE).arriving():
            waited(lambda: recovering.reached() > 0, "the view to begin", _SECONDS)
        yield Sides(recovering.ours, recovering.baseline, recovering.before, recovering.proof)


RECOVERING = Bench(
    "R10",
    "drain after an outage of Kafka / rate of arrival",
    "events/s",
    _opened,
    Bars(5, 15),
    most_rounds=3,
)
