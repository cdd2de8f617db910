"""Instants as SQLite stores them: whole microseconds since 1970 in UTC, without loss."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = 86_400
_SECOND: Final = 1_000_000


def to_micros(instant: datetime) -> int:
    since = instant - _EPOCH  # whole numbers: to divide it by a microsecond takes longer
    return (since.days * _DAY + since.seconds) * _SECOND + since.microseconds


def from_micros(micros: int) -> datetime:
    return _EPOCH + timedelta(0, 0, micros)
