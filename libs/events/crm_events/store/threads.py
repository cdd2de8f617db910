"""Events by what holds them together: their own id, a correlation, the streams of many things."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from crm_events.envelope import Envelope


@dataclass(frozen=True, slots=True)
class Correlated:
    """The events of one correlation; of those only what the named events caused, and only the
    events of one command, where these are given."""

    correlation_id: UUID
    caused_by: tuple[UUID, ...] = ()
    command_id: UUID | None = None


class Threads(ABC):
    """The part of a store that follows events across its log."""

    @abstractmethod
    def find_event(self, event_id: UUID) -> Envelope | None:
        """The envelope of one event; it names no `prevsequence`."""

    @abstractmethod
    def read_correlation(self, wanted: Correlated, after: int, limit: int) -> Sequence[Envelope]:
        """Envelopes of one correlation with sequence > `after`, in order of the log. They name no
        `prevsequence`."""

    @abstractmethod
    def read_correlation_back(
        self, correlation_id: UUID, before: int | None, limit: int
    ) -> Sequence[Envelope]:
        """As `read_correlation`, the newest first, from below a sequence or from the end."""

    @abstractmethod
    def read_streams(self, ids: Iterable[UUID]) -> Mapping[UUID, Sequence[Envelope]]:
        """As `read_stream` from the beginning, of many aggregates at once; absent ones are left
        out."""
