"""Bugs that the simulation's company cannot show: a lock that only PostgreSQL has, a report of the
past, a key that comes too late, a message that is sent before it is true."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from uuid import UUID

import structlog
from crm_events.codec import Codec, Slot, UndecodableEvent
from crm_events.contracts.contacts import LeadCaptured
from crm_events.domain import Aggregate, applies
from crm_events.envelope import Envelope
from crm_events.ids import new_id
from crm_events.keys.port import KeysUnavailable
from crm_events.partitions import partition_of
from crm_events.store import mapper
from crm_events.store.mapper import Cause
from crm_events.store.migrations import v0001_functions
from crm_events.store.open import migrate
from crm_events.store.port import Beside, EventRecorder
from crm_events.store.postgres import PostgresRecorder
from crm_events.store.sqlite import SqliteRecorder
from crm_projections.columns import cut
from crm_projections.columns.frame import Columns
from crm_projections.engine.digest import digest_of
from crm_projections.facts.instants import FOREVER
from crm_projections.views.funnel.projector import FunnelView
from crm_servers import pick_postgres
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from structlog.testing import capture_logs

from tests.events.store.building import append, event
from tests.events.store.by_hand import by_hand
from tests.faults.bugs.bug import Bug, Verdicts, instead, rewritten
from tests.faults.evidence import Evidence, LaneRow, Parked, Published, Stored, TableSum
from tests.faults.invariants import check
from tests.support.decisions import NOW
from tests.support.keys import KeysInMemory
from tests.support.servers import scratch_folder
from tests.support.viewing import UTC_EURO, Viewing, at
from tests.support.waiting import wait_until
from tests.views.funnel import deals

# --- a reader beside an append that takes long, on PostgreSQL ---


@contextmanager
def _postgres() -> Iterator[str]:
    with scratch_folder("bugs") as folder:
        server = pick_postgres(folder)
        server.start()
        name = f"bugs_{secrets.token_hex(6)}"
        try:
            yield server.create_database(name)
            server.drop_database(name)
        finally:
            server.close()


def slow_append() -> Verdicts:
    """One that has drawn its position and is not committed yet when a later one is: whoever reads
    on waits for it, however long it takes."""
    with _postgres() as dsn:
        migrate(dsn, "bugs", "contacts")
        recorder = PostgresRecorder(dsn, "bugs_contacts")
        try:
            return _read_beside(recorder, dsn)
        finally:
            recorder.close()


@contextmanager
def _warnings() -> Iterator[list[Any]]:
    """What is logged from warnings on, whoever silences the logs of a run otherwise."""
    before = structlog.get_config()["wrapper_class"]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        with capture_logs() as logged:
            yield logged
    finally:
        structlog.configure(wrapper_class=before)


def _read_beside(recorder: PostgresRecorder, dsn: str) -> Verdicts:
    read: list[Envelope] = []
    with by_hand(dsn, "bugs_contacts") as slow, _warnings() as logged:
        slow.append()
        append(recorder, [event(new_id(), 1)])

        def lost_or_held() -> bool:
            _read_on(recorder, read)
            return bool(read) or any(line["event"] == "log_held" for line in logged)

        wait_until(lost_or_held, "the reader loses its patience")
        slow.commit()
    wait_until(lambda: recorder.safe_position() == 2, "all is committed and safe")
    _read_on(recorder, read)
    log = recorder.read_log(0, 100).envelopes
    published = [_published(envelope, offset) for offset, envelope in enumerate(read)]
    return check(Evidence(stored=[_stored(each) for each in log], published=published))


def _read_on(recorder: EventRecorder, read: list[Envelope]) -> None:
    """As a relay does: from the last position on."""
    read += recorder.read_log(read[-1].sequence if read else 0, 100).envelopes


def _stored(envelope: Envelope) -> Stored:
    return Stored(
        "contacts",
        envelope.sequence,
        envelope.partition,
        str(envelope.id),
        str(envelope.aggregate_id),
        envelope.aggregate_version,
    )


def _published(envelope: Envelope, offset: int) -> Published:
    return Published(
        "contacts",
        envelope.partition,
        offset,
        envelope.sequence,
        0,
        str(envelope.id),
        str(envelope.aggregate_id),
        envelope.aggregate_version,
    )


# --- a report of what was known ---

_JAN1: Final = at("2026-01-01")


def report_of_the_past() -> Verdicts:
    """Asked of all that is known now, it says what a view says that has heard no more by then."""
    told = [deals.defined(at("2020-01-01")), deals.opened("d", _JAN1)]
    later = deals.advanced("d", _JAN1 + timedelta(days=4), deals.TRIAL)
    then, now = Viewing(FunnelView(UTC_EURO)), Viewing(FunnelView(UTC_EURO))
    then.tell(*told)
    now.tell(*told, later)
    asked: dict[str, Any] = {"as_of": "2026-01-06", "mode": "snapshot"}
    wanted = repr(then.ask(**asked).rows)
    found = repr(now.ask(**asked, known=dict(then.sequences)).rows)
    for viewing in (then, now):
        viewing.engine.dispose()
    sums = [
        TableSum("funnel", "as known then", "live", 1, found),
        TableSum("funnel", "as known then", "store", 1, wanted),
    ]
    return check(Evidence(sums=sums))


def _filtered(_: Any) -> Any:
    """What was recorded later is left out, and what it replaced does not come back."""

    def believed(columns: Columns, upto: int) -> Any:
        return (columns["known_from"] <= upto) & (columns["known_to"] == FOREVER)

    return believed


# --- a key database that goes away ---


class Person(Aggregate):
    @applies(LeadCaptured)
    def _captured(self, event: LeadCaptured) -> None:
        """Nothing is decided on it."""


class Shelf(KeysInMemory):
    """Lets a key be put in that somebody else made, as only the bug does; gone when `cut`."""

    def keep(self, keys: Mapping[UUID, bytes]) -> None:
        with self._reached():
            self._keys.update(keys)


def key_database_out_of_reach() -> Verdicts:
    """A command is given while no key can be stored: whatever is stored can be read later."""
    with TemporaryDirectory(prefix="crm-bugs-") as folder:
        recorder, keys = SqliteRecorder(Path(folder) / "contacts.db"), Shelf()
        try:
            keys.reachable = False
            _capture(recorder, keys)
            keys.reachable = True
            return check(_read_by_a_view(recorder, Codec(keys)))
        finally:
            recorder.close()


def _capture(recorder: EventRecorder, keys: Shelf) -> None:
    lead, person, command = Person(new_id()), new_id(), new_id()
    lead.record(LeadCaptured(person_id=person, name="Ada", source="web"), at=NOW)
    store = mapper.ChangeStore(mapper.ChangeMapper(Codec(keys)), recorder)
    cause = Cause(command, command, None, "local:teller", "live", NOW)
    try:
        store.append(lead.collect_events(), cause)
    except KeysUnavailable:
        return  # the client is told to try again


def _read_by_a_view(recorder: EventRecorder, codec: Codec) -> Evidence:
    log = recorder.read_log(0, 100).envelopes
    lost = [envelope for envelope in log if not _can_be_read(envelope, codec)]
    parked = [Parked("any", "contacts", str(e.id), str(e.aggregate_id), "failed") for e in lost]
    row = LaneRow(
        view="any",
        context="contacts",
        partition=log[0].partition if log else partition_of(new_id()),
        sequence=log[-1].sequence if log else 0,
        digest=digest_of(envelope.id for envelope in log),
        applied=len(log) - len(lost),
        parked=len(lost),
        skipped=0,
    )
    return Evidence(stored=[_stored(each) for each in log], lanes=[row], parked=parked)


def _can_be_read(envelope: Envelope, codec: Codec) -> bool:
    try:
        codec.decode(
            envelope.data, Slot(envelope.type, envelope.aggregate_id, envelope.aggregate_version)
        )
    except UndecodableEvent:
        return False
    return True


class _Later:
    """Keys that are made now and stored afterwards."""

    def __init__(self) -> None:
        self.made: dict[UUID, bytes] = {}

    def ensure(self, subjects: Any) -> Mapping[UUID, bytes]:
        self.made.update({subject: secrets.token_bytes(32) for subject in subjects})
        return self.made

    def begin(self, subjects: Any) -> None:
        self.ensure(subjects)

    def ciphers(self, subjects: Any) -> Mapping[UUID, AESGCM]:
        return {subject: AESGCM(key) for subject, key in self.ensure(subjects).items()}


def _key_after_event(_: Any) -> Any:
    def append_first(
        self: Any, changes: Any, cause_of: Any, beside: Beside | None = None
    ) -> tuple[Any, int]:
        codec, later = self.mapper._codec, _Later()
        real, codec._keys = codec._keys, later
        stored = self.mapper.to_stored_events(changes, cause_of)
        codec._keys = real
        positions = self.recorder.insert_events(stored, beside=beside or Beside()) or ()
        real.keep(later.made)
        return stored, max(positions, default=0)

    return append_first


BUGS = (
    Bug(
        "append lock off",
        "an append does not hold the lock that a reader tries before it steps over a hole",
        "I6",
        rewritten(
            v0001_functions,
            "_APPEND",
            "PERFORM pg_advisory_xact_lock_shared(hashtextextended('{schema}/append', 0));",
            "",
        ),
        scenarios=(slow_append,),
    ),
    Bug(
        "known-at as a filter",
        "what was recorded later is left out of a report of the past, and nothing put in its place",
        "I4",
        instead(cut, "_believed", _filtered),
        scenarios=(report_of_the_past,),
    ),
    Bug(
        "key after event",
        "an event is committed before the key that its personal fields are sealed under is stored",
        "I10",
        instead(mapper.ChangeStore, "append", _key_after_event),
        scenarios=(key_database_out_of_reach,),
    ),
)
