"""`python -m tests.bench.apart [COMMANDS]`: R9 taken apart, in processor time a command.

One process decides commands of eight threads over stores in one PostgreSQL: with neither encryption
nor idempotency, with one of them, with both, and with both where every command reads all that it
decides on. What was stored is then sealed. There is no HTTP in it, which is the same with and
without. Told are microseconds of this process and of all of PostgreSQL's, which a busy machine
lengthens less than it does the time by the clock.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import UUID

import structlog
from crm_contacts.application import ContactsApplication
from crm_contacts.domain.lead import LeadFacts
from crm_events.audit.keyfile import make_key
from crm_events.clock import utc_now
from crm_events.codec import Codec
from crm_events.ids import new_id
from crm_events.keys.open import migrate_keys, open_keys
from crm_events.store.mapper import Cause
from crm_events.store.open import migrate
from crm_events.store.postgres import PostgresRecorder
from crm_service.auditing.desk import AuditDesk, AuditPlace
from crm_service.collector import spare_the_collector

from tests.bench.ground import Ground, fresh_namespace, ground, of_postgres
from tests.bench.untaxed import ForgetfulRecorder, PlainCodec
from tests.support.processes import master_key_in

THREADS: Final = 8
_COMMANDS: Final = 1_200
_ROUNDS: Final = 4
_FACTS: Final = LeadFacts("Li Na", "li.na@example.org", "+86 10 1234", "North Trading", "fair")


class Reading(ContactsApplication):
    """Keeps nothing from one command to the next."""

    most_kept = 0


_Parts = tuple[type[Codec], type[PostgresRecorder], type[ContactsApplication]]
_WAYS: Final[Mapping[str, _Parts]] = {
    "neither": (PlainCodec, ForgetfulRecorder, ContactsApplication),
    "encrypted": (Codec, ForgetfulRecorder, ContactsApplication),
    "remembered": (PlainCodec, PostgresRecorder, ContactsApplication),
    "both": (Codec, PostgresRecorder, ContactsApplication),
    "all read": (Codec, PostgresRecorder, Reading),
}


@dataclass
class Way:
    """One store, and seconds of this process and of PostgreSQL that each kind of work took."""

    app: ContactsApplication
    folder: Path
    known: Sequence[UUID] = ()
    spent: dict[str, tuple[float, float]] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        make_key(self.folder / "audit.key")
        place = AuditPlace(self.folder / "audit.key", "bench")
        self.notary = AuditDesk("contacts", self.app.recorder, place).notary()

    def measure(self, kind: str, work: Callable[[], int]) -> None:
        own, servers = time.process_time(), of_postgres()
        done = work()
        before = self.spent.get(kind, (0.0, 0.0))
        now = (time.process_time() - own, of_postgres() - servers)
        self.spent[kind] = (before[0] + now[0], before[1] + now[1])
        self.done[kind] = self.done.get(kind, 0) + done

    def capture(self, leads: int) -> int:
        with ThreadPoolExecutor(THREADS) as threads:
            done = list(
                threads.map(lambda _: self.app.capture_lead(_cause(), _FACTS), range(leads))
            )
        self.known = [outcome.id for outcome in done]
        return leads

    def turn(self) -> int:
        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(self._qualify, self.known))
            list(threads.map(self._disqualify, self.known))
        return 2 * len(self.known)

    def _qualify(self, lead: UUID) -> None:
        self.app.qualify_lead(_cause(), lead, "two hundred chairs by May")

    def _disqualify(self, lead: UUID) -> None:
        self.app.disqualify_lead(_cause(), lead, "no answer to three calls")

    def seal(self) -> int:
        return self.notary.take_in().events


def main(argv: Sequence[str]) -> int:
    spare_the_collector()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    commands = int(argv[0]) if argv else _COMMANDS
    with ground(quick=False) as place, opened(place) as ways:
        for number in range(_ROUNDS + 1):
            for way in ways.values():
                _round(way, commands // _ROUNDS)
                if number == 0:
                    way.spent.clear()
                    way.done.clear()
        tell(ways)
    return 0


def _round(way: Way, leads: int) -> None:
    way.measure("new", lambda: way.capture(leads))
    way.measure("known", way.turn)
    way.measure("sealing", way.seal)


def tell(ways: Mapping[str, Way]) -> None:
    print("microseconds of processor time a command: this process, PostgreSQL's")
    for kind in ("known", "new", "sealing"):
        for name, way in ways.items():
            own, servers = (each / way.done[kind] * 1e6 for each in way.spent[kind])
            print(f"{kind:8} {name:12} {own:6.0f} {servers:6.0f}   of {way.done[kind]:,}")


@contextmanager
def opened(place: Ground) -> Iterator[Mapping[str, Way]]:
    with place.database() as dsn, ExitStack() as stack:
        yield {name: _way(stack, dsn, place.folder(), parts) for name, parts in _WAYS.items()}


def _way(stack: ExitStack, dsn: str, folder: Path, parts: _Parts) -> Way:
    codec, recorder, app = parts
    namespace = fresh_namespace()
    migrate(dsn, namespace, "contacts")
    migrate_keys(dsn, namespace)
    keys = stack.enter_context(closing(open_keys(dsn, namespace, master_key_in(folder))))
    store = stack.enter_context(closing(recorder(dsn, f"{namespace}_contacts")))
    return Way(app(store, codec(keys), b"secret"), folder)


def _cause() -> Cause:
    id = new_id()
    return Cause(id, id, None, "user:bench", "live", utc_now(), fingerprint=b"0" * 32)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
