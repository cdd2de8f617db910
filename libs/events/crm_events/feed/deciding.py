"""What a batch of events leads to: decisions kept together, refusals undone, failures set apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

import structlog

from crm_events.application import ContextApplication
from crm_events.catalogue import CATALOGUE
from crm_events.codec import Codec, Slot
from crm_events.domain import DomainError
from crm_events.envelope import Envelope
from crm_events.event import Event
from crm_events.feed.port import Lane
from crm_events.feed.session import Reactions, Session
from crm_events.keys.port import KeysUnavailable, SubjectErased
from crm_events.store.mapper import Cause
from crm_events.store.port import StoreUnavailable
from crm_events.upcasting import UPCASTS

_log = structlog.get_logger("crm.reactions")
TRANSIENT: Final = (StoreUnavailable, KeysUnavailable)
"""Errors that pass by themselves: waited for, never held against an event."""
REFUSED: Final = (DomainError, SubjectErased)
"""What a reaction is refused with: no effect, and the position moves on."""


def lane_of(envelope: Envelope) -> Lane:
    return Lane(envelope.context, envelope.partition)


@dataclass(frozen=True, slots=True)
class Decided:
    """What a batch leads to. A lane is `failed` at an event that could not be decoded or reacted
    to; that event and what follows it in the lane have left nothing in the session."""

    session: Session
    failed: Mapping[Lane, tuple[Envelope, Exception]] = field(default_factory=dict)


class Decider:
    """Runs a context's reactions over events, and saves nothing."""

    def __init__(self, app: ContextApplication, reactions: Reactions, codec: Codec) -> None:
        self._app = app
        self._reactions = reactions
        self._codec = codec
        self._wanted = _wanted(reactions.table)
        self.without_effect = 0

    def relevant(self, envelopes: Iterable[Envelope]) -> list[Envelope]:
        """Those that are reacted to, and those of a type this program is too old to know."""
        wanted = self._wanted
        return [envelope for envelope in envelopes if wanted.get(envelope.type, True)]

    def decide(self, envelopes: Sequence[Envelope]) -> Decided:
        """React to events in this order. Raises the TRANSIENT errors."""
        session = Session(self._app)
        failed: dict[Lane, tuple[Envelope, Exception]] = {}
        decoded = self._decode_all(envelopes, failed)
        self._prefetch(session, decoded)
        stopped: dict[Lane, tuple[Envelope, Exception]] = {}
        for envelope, event in decoded:
            if not stopped or lane_of(envelope) not in stopped:
                error = self._react(session, envelope, event)
                if error is not None:
                    stopped[lane_of(envelope)] = (envelope, error)
        return Decided(session, failed | stopped)

    def _decode_all(
        self, envelopes: Sequence[Envelope], failed: dict[Lane, tuple[Envelope, Exception]]
    ) -> list[tuple[Envelope, Event]]:
        decoded: list[tuple[Envelope, Event]] = []
        for envelope in envelopes:
            if failed and lane_of(envelope) in failed:
                continue
            slot = Slot(envelope.type, envelope.aggregate_id, envelope.aggregate_version)
            try:
                decoded.append((envelope, self._codec.decode(envelope.data, slot)))
            except TRANSIENT:
                raise
            except Exception as error:  # noqa: BLE001 (held against this event's lane, and told)
                failed[lane_of(envelope)] = (envelope, error)
        return decoded

    def _prefetch(self, session: Session, decoded: Sequence[tuple[Envelope, Event]]) -> None:
        """A stream that cannot be read fails the reaction that asks for it, not the batch."""
        prefetch = self._reactions.prefetch
        try:
            ids = {
                id
                for envelope, event in decoded
                if (wanted := prefetch.get(type(event))) is not None
                for id in wanted(envelope, event)
                if id is not None
            }
            session.prefetch(ids)
        except TRANSIENT:
            raise
        except Exception as error:  # noqa: BLE001 (each reaction reads for itself then)
            _log.warning("prefetch_failed", reason=type(error).__name__)

    def _react(self, session: Session, envelope: Envelope, event: Event) -> Exception | None:
        session.begin(envelope)
        try:
            self._reactions.table[type(event)](session, envelope, event)
        except REFUSED as refusal:
            session.undo()
            self.refused(envelope, refusal)
        except TRANSIENT:
            raise
        except Exception as error:  # noqa: BLE001 (held against this event's lane, and told)
            session.undo()
            return error
        else:
            session.keep(lambda: self._cause(envelope))
        return None

    def refused(self, envelope: Envelope, refusal: Exception) -> None:
        """Count and tell an event that has no effect."""
        self.without_effect += 1
        slug = refusal.slug if isinstance(refusal, DomainError) else "subject-erased"
        _log.info("no_effect", event_id=str(envelope.id), reason=slug)

    def _cause(self, envelope: Envelope) -> Cause:
        return Cause(
            command_id=_command_id(self._reactions.name, envelope.id),
            correlation_id=envelope.correlation_id,
            causation_id=envelope.id,
            actor=f"reaction:{self._reactions.name}",
            origin=envelope.origin,
            at=envelope.occurred_at,
            traceparent=envelope.traceparent,
        )


def _command_id(reactions: str, event_id: UUID) -> UUID:
    return uuid5(NAMESPACE_URL, f"{reactions}/{event_id}")


def _wanted(table: Iterable[type[Event]]) -> Mapping[str, bool]:
    """Every stored type this program knows, old shapes too, and whether it is reacted to."""
    handled = frozenset(table)
    return {name: CATALOGUE.get(_newest(name)) in handled for name in (*CATALOGUE, *UPCASTS)}


def _newest(name: str) -> str:
    while name in UPCASTS:
        name = UPCASTS[name][0]
    return name
