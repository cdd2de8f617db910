"""`python -m tests.events.domain.long_streams`: how long loading an aggregate takes, on SQLite."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Final
from uuid import UUID

from crm_events.application import ContextApplication
from crm_events.codec import Codec
from crm_events.contracts.pipeline import DealAmended, DealOpened, Stage, StageAdvanced
from crm_events.contracts.ticketing import TicketOpened, TicketReplied
from crm_events.domain import Aggregate
from crm_events.event import Event, Money, Staff
from crm_events.ids import new_id
from crm_events.store.mapper import Cause
from crm_events.store.sqlite import SqliteRecorder
from crm_pipeline.domain.deal import Deal
from crm_ticketing.domain.ticket import Ticket

from tests.events.domain.things import NOON
from tests.support.keys import KeysInMemory

STAGES: Final = [Stage(key=f"s{n}", name=f"Stage {n}", rank=n, probability=n / 5) for n in (1, 2)]
AGENT: Final = Staff(id=UUID(int=7), team="East", region="EU")
_ROUNDS: Final = 25


class Told(Aggregate):
    """Anything that events are said of."""


def deal(length: int) -> Iterator[Event]:
    """A deal that goes to and fro, and whose amount changes at every step."""
    yield DealOpened(pipeline="sales", pipeline_version=1, stage=STAGES[0], owner=AGENT)
    for n in range(1, length):
        step = StageAdvanced(pipeline_version=1, previous=STAGES[n % 2 - 1], stage=STAGES[n % 2])
        amount = Money(amount=Decimal(n), currency="EUR")
        yield step if n % 2 else DealAmended(title=f"{n} printers", amount=amount)


def ticket(length: int) -> Iterator[Event]:
    """A conversation without end, every reply sealed."""
    customer = new_id()
    yield TicketOpened(customer_id=customer, summary="No paper", category="product", channel="web")
    for n in range(1, length):
        words = f"{n}: your printer is on its way, thank you for your patience."
        yield TicketReplied(customer_id=customer, body=words, agent=AGENT)


def saved(app: ContextApplication, events: Iterator[Event]) -> UUID:
    thing, id = Told(new_id()), new_id()
    for event in events:
        thing.record(event, at=NOON)
    app.save_all([thing], Cause(id, id, None, "local:tester", "live", NOON))
    return thing.id


def seconds(app: ContextApplication, kind: type[Aggregate], id: UUID) -> float:
    """Processor time of one load, in the median: what other programs do meanwhile is left out."""
    took = []
    for _ in range(_ROUNDS):
        start = time.process_time()
        app.load(kind, id)
        took.append(time.process_time() - start)
    return statistics.median(took)


KINDS: Final[dict[type[Aggregate], Callable[[int], Iterator[Event]]]] = {Deal: deal, Ticket: ticket}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        recorder = SqliteRecorder(Path(folder) / "streams.db")
        app = ContextApplication(recorder, Codec(KeysInMemory()))
        for kind, events in KINDS.items():
            for length in (10, 100, 400, 2_000):
                took = seconds(app, kind, saved(app, events(length)))
                sys.stdout.write(f"{kind.__name__:6} {length:5} events {took * 1e3:6.2f} ms\n")
        recorder.close()


if __name__ == "__main__":
    main()
