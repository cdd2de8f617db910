"""Which stored types a view takes, and their events, decoded once for all views of a process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from crm_events.catalogue import CATALOGUE
from crm_events.codec import Codec, Slot, UndecodableEvent
from crm_events.envelope import Envelope
from crm_events.event import Event, personal_fields
from crm_events.shapes import shapes
from crm_events.upcasting import UPCASTS
from pydantic import ValidationError

_SEALED: Final = frozenset(
    name for name, shape in shapes(CATALOGUE, UPCASTS).items() if shape.personal
)
"""Types with personal values, which keys open."""


@dataclass(frozen=True, slots=True)
class Interest:
    """Every stored type this program knows, old shapes too, and whether it is handled; of those
    that are, the `sealed` ones.

    A type that is absent is unknown: the program is older than the producer.
    """

    wanted: Mapping[str, bool]
    sealed: frozenset[str]


def interest(handles: Iterable[type[Event]]) -> Interest:
    handled = frozenset(handles)
    names = (*CATALOGUE, *UPCASTS)
    wanted = {name: CATALOGUE.get(_newest(name)) in handled for name in names}
    return Interest(wanted, frozenset(name for name in _SEALED if wanted[name]))


def _newest(name: str) -> str:
    while name in UPCASTS:
        name = UPCASTS[name][0]
    return name


class Decoder:
    """Decodes an event when the first view asks for it, and keeps it until the batch is done."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._decoded: dict[int, Event] = {}

    def another(self) -> Decoder:
        """One for another thread."""
        return Decoder(self._codec)

    def decode(self, envelope: Envelope) -> Event:
        """Raises UndecodableEvent, UnknownEventType and KeysUnavailable."""
        id = envelope.id.int  # its hash is not computed in Python
        found = self._decoded.get(id)
        if found is None:
            found = self._codec.decode_plain(envelope.type, envelope.data) or self._opened(envelope)
            self._decoded[id] = found
        return found

    def _opened(self, envelope: Envelope) -> Event:
        slot = Slot(envelope.type, envelope.aggregate_id, envelope.aggregate_version)
        return self._codec.decode(envelope.data, slot)

    def prepare(self, envelopes: Iterable[Envelope]) -> None:
        """Fetch at once the keys that decoding these will need. Raises KeysUnavailable."""
        self._codec.prepare(each.data for each in envelopes if each.id.int not in self._decoded)

    def forget(self) -> None:
        self._decoded.clear()


def reason_of(error: BaseException, event_type: str) -> str:
    """What went wrong and where, without a value that could be personal."""
    if isinstance(error.__cause__, ValidationError):
        return f"{type(error).__name__}: {_fields(error.__cause__)}"
    where = _place(error)
    known = CATALOGUE.get(_newest(event_type))
    if isinstance(error, UndecodableEvent) or (known and not personal_fields(known)):
        return f"{type(error).__name__}: {str(error)[:500]}{where}"
    return f"{type(error).__name__}{where}"


def _fields(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in found[:5])


def _place(error: BaseException) -> str:
    """The innermost line of this project's code that the error passed."""
    found, trace = "", error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if "crm_projections" in code.co_filename:
            file = code.co_filename.partition("crm_projections/")[2]
            found = f" (at {file}:{trace.tb_lineno})"
        trace = trace.tb_next
    return found
