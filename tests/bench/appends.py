"""R2: our append beside that of the `eventsourcing` library as it comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from crm_contacts.domain.lead import Lead, LeadFacts
from crm_events.clock import utc_now
from crm_events.domain import Aggregate
from crm_events.ids import new_id

from tests.bench.following import Follower, Read, compared
from tests.bench.ground import Ground
from tests.bench.measuring import Bars, Bench, NotDone, Sides
from tests.bench.plain_library import PlainOrders, plain_on_postgres, plain_on_sqlite
from tests.bench.stores import Store, order, postgres_store, sqlite_store
from tests.bench.threads import Done, sustained

_SECONDS, _QUICK_SECONDS = 1.0, 0.25
_PAGE = 2_000


def lead() -> Lead:
    """One event whose personal values are sealed under a key of their own."""
    thing = Lead(new_id())
    facts = LeadFacts("Li Na", email="li.na@example.org", phone="+86 10 1234", source="fair")
    thing.capture(new_id(), facts, at=utc_now())
    return thing


class Appending:
    """Our side: rounds on one store, each followed by a reader while it is written."""

    def __init__(self, store: Store, make: Callable[[], Aggregate], threads: int) -> None:
        self._store = store
        self._make = make
        self.threads = threads
        self._seen: list[int] = []
        self.seconds = _SECONDS

    def ours(self) -> float:
        after = self._store.recorder.safe_position()
        done, seen = self.followed(lambda: self._store.save([self._make()]), self._read, after)
        if len(seen) != done.times:
            raise NotDone(f"{done.times:,} events were acknowledged, {len(seen):,} were followed")
        self._seen += seen
        return done.rate

    def proof(self) -> str:
        return compared(self._seen, self._store.positions(0))

    def followed(
        self, append: Callable[[], object], read: Read, after: int
    ) -> tuple[Done, list[int]]:
        follower = Follower(read, after)
        with follower.following():
            done = sustained(append, self.threads, self.seconds)
        return done, follower.seen

    def _read(self, after: int) -> tuple[Sequence[int], int]:
        page = self._store.recorder.read_log(after, _PAGE)
        return [envelope.sequence for envelope in page.envelopes], page.safe_to


class Appends:
    """One round after the other on both sides."""

    def __init__(self, appending: Appending, plain: PlainOrders) -> None:
        self._appending = appending
        self._plain = plain

    def sides(self) -> Sides:
        return Sides(self._appending.ours, self.baseline, proof=self._appending.proof)

    def baseline(self) -> float:
        after = self._plain.recorder.max_notification_id() or 0
        return self._appending.followed(self._plain.append, self._plain.read, after)[0].rate


@contextmanager
def warming(appending: Appending, place: Ground) -> Iterator[None]:
    """Short rounds inside the block, those of the run's size after it."""
    appending.seconds = _QUICK_SECONDS
    yield
    appending.seconds = _QUICK_SECONDS if place.quick else _SECONDS


def _bench(
    id: str,
    name: str,
    threads: int,
    *,
    make: Callable[[], Aggregate] = order,
    on_sqlite: bool = False,
    bars: Bars | None = None,
) -> Bench:
    opening = (sqlite_store, plain_on_sqlite) if on_sqlite else (postgres_store, plain_on_postgres)
    open_store: Callable[[Ground], AbstractContextManager[Store]] = opening[0]

    @contextmanager
    def opened(place: Ground) -> Iterator[Sides]:
        with open_store(place) as store, opening[1](place) as plain:
            appending = Appending(store, make, threads)
            sides = Appends(appending, plain).sides()
            with warming(appending, place):
                sides.ours()
                sides.baseline()
            yield sides

    return Bench(id, name, "events/s", opened, bars)


APPENDS = (
    _bench("R2-1", "append, 1 writer / library's default recorder", 1),
    _bench("R2-8", "append, 8 writers / library's default recorder", 8, bars=Bars(2, 6)),
    _bench("R2-8-sealed", "append of sealed events, 8 writers / library's, plain", 8, make=lead),
    _bench("R2-1-sqlite", "append on SQLite, 1 writer / library's", 1, on_sqlite=True),
    _bench("R2-8-sqlite", "append on SQLite, 8 writers / library's", 8, on_sqlite=True),
)
