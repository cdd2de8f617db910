"""Bugs of the sealed tree: what is hashed, and who may move its head."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from uuid import UUID

from crm_events.audit import sqlite_log
from crm_events.audit.entry import packer
from crm_events.audit.keyfile import make_key, read_keys
from crm_events.audit.notary import Notary
from crm_events.audit.open import audit_log
from crm_events.codec import Codec, Slot
from crm_events.contracts.contacts import LeadCaptured
from crm_events.ids import new_id
from crm_events.store.sqlite import SqliteRecorder

from tests.events.store.building import append, event
from tests.faults.bugs.bug import Bug, Verdicts, instead, rewritten, together
from tests.faults.checkpoints import sealed as outside
from tests.faults.checkpoints import stored_checkpoints
from tests.faults.evidence import Evidence, Stored
from tests.faults.hashing import leaf
from tests.faults.invariants import check
from tests.support.keys import KeysInMemory

_ORIGIN: Final = "bugs/contacts"
_KEYS: Final = KeysInMemory()
_TYPE, _VERSION, _DATA, _AGGREGATE = 11, 2, 15, 6
"""Where these stand in a row that is hashed."""


@contextmanager
def _log() -> Iterator[tuple[SqliteRecorder, list[Notary], Path]]:
    """A log with two notaries of the same key."""
    with TemporaryDirectory(prefix="crm-bugs-") as folder:
        key = Path(folder) / "audit.key"
        make_key(key)
        keys = read_keys(key)
        with closing(SqliteRecorder(Path(folder) / "contacts.db")) as recorder:
            assert keys.signer is not None
            verifiers = keys.verifiers(_ORIGIN)
            yield (
                recorder,
                [
                    Notary(
                        audit_log(recorder), recorder.safe_position, _ORIGIN, keys.signer, verifiers
                    )
                    for _ in range(2)
                ],
                key,
            )


def _write(recorder: SqliteRecorder, count: int) -> None:
    codec = Codec(_KEYS)
    for _ in range(count):
        lead, person = new_id(), new_id()
        slot = Slot(LeadCaptured.TYPE, lead, 1)
        body = LeadCaptured(person_id=person, name="Ada", source="web")
        append(recorder, [event(lead, 1, codec.encode_all([(body, slot)])[0])])


def personal_events() -> Verdicts:
    """Events with a name in them are sealed; what is stored of them is what can be checked."""
    with _log() as (recorder, notaries, key):
        _write(recorder, 5)
        notaries[0].take_in()
        return _judged(recorder, key)


def frozen_notary() -> Verdicts:
    """One signs, is held up before it writes, and goes on when another has sealed more."""
    with _log() as (recorder, notaries, key):
        _write(recorder, 3)
        held = _Held(notaries[0])
        _write(recorder, 3)
        notaries[1].take_in()
        left = [each.note for each in audit_log(recorder).signed(0, 10)]
        held.go_on()
        return _judged(recorder, key, left)


class _Held:
    """A notary between its signature and its writing."""

    def __init__(self, notary: Notary) -> None:
        self._log: Any = notary._log
        self._wanted: list[Any] = []
        notary._log = _Recording(self._log, self._wanted)  # type: ignore[assignment]
        list(notary.batches())

    def go_on(self) -> None:
        self._log.grow(*self._wanted[0])


class _Recording:
    def __init__(self, log: Any, wanted: list[Any]) -> None:
        self._log = log
        self._wanted = wanted

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def leaves(self, *_: Any) -> Sequence[Any]:
        return [] if self._wanted else self._log.leaves(*_)

    def grow(self, *what: Any) -> bool:
        self._wanted.append(what)
        return False


def _judged(recorder: SqliteRecorder, key: Path, left: Sequence[str] = ()) -> Verdicts:
    trusted = read_keys(key).verifiers(_ORIGIN)
    stored = [
        Stored(
            "contacts",
            e.sequence,
            e.partition,
            str(e.id),
            str(e.aggregate_id),
            e.aggregate_version,
            leaf=leaf(e),
        )
        for e in recorder.read_log(0, 100).envelopes
    ]
    sealed = list(stored_checkpoints("contacts", audit_log(recorder), trusted))
    sealed += [outside("contacts", note, trusted) for note in left]
    return check(Evidence(stored=stored, sealed=sealed))


def _over_plaintext(_: Any) -> Any:
    """The row is hashed with what its event says, not with what is stored of it."""
    codec, pack = Codec(_KEYS), packer()

    def opened(row: Sequence[Any]) -> bytes:
        slot = Slot(row[_TYPE], UUID(bytes=row[_AGGREGATE]), row[_VERSION])
        said = codec.decode(row[_DATA], slot).model_dump_json().encode()
        return pack([*row[:_DATA], said])

    return lambda: opened


BUGS = (
    Bug(
        "chain over plaintext",
        "events are hashed with their personal values in plain, which nobody can check once they "
        "are erased",
        "I5",
        instead(sqlite_log, "packer", _over_plaintext),
        scenarios=(personal_events,),
    ),
    Bug(
        "sealed head not compared",
        "a notary that was held up writes its tree over the one that another has grown meanwhile",
        "I5",
        together(
            rewritten(
                sqlite_log,
                "COMPARE_AND_SET",
                "AND size = ? AND position = ? AND checkpoints = ? AND peaks = ?",
                "AND ? + ? + ? IS NOT ?",
            ),
            rewritten(sqlite_log, "PUT_CHECKPOINT", "INSERT INTO", "INSERT OR REPLACE INTO"),
        ),
        scenarios=(frozen_notary,),
    ),
)
