"""The kinds of value that cross the HTTP edge, and the closed model every body is made from."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

from crm_events import event
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    WithJsonSchema,
)
from pydantic_core import core_schema

_DECIMAL: Final = re.compile(r"-?\d{1,20}(\.\d{1,6})?", re.ASCII)


_YEARS: Final = range(2, 9999)


class Body(BaseModel):
    """A request body. Fields nobody declared are refused, and what arrived does not change."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Parameters(BaseModel):
    """Query parameters of one route as a model. It lets pass what other dependencies declare; names
    that nobody declares are refused by the route itself."""

    model_config = ConfigDict(frozen=True)


def _decimal_text(value: Any) -> Any:
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise ValueError('send a decimal string such as "1250.00"')
    return value


def _instant_text(value: Any) -> Any:
    if not isinstance(value, str) or "T" not in value.upper():
        raise ValueError("send an ISO 8601 time with its zone, such as 2026-03-01T09:30:00Z")
    return value


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("this time is out of range") from None


def _with_room(value: datetime) -> datetime:
    if value.year not in _YEARS:
        raise ValueError("name a time whose year is 2 to 9998: every zone has a date for it")
    return value


Amount = Annotated[
    Decimal,
    Field(max_digits=20, decimal_places=6),  # before the validator, or digits are counted in Python
    BeforeValidator(_decimal_text),
    WithJsonSchema({"type": "string", "pattern": f"^{_DECIMAL.pattern}$", "examples": ["1250.00"]}),
]
"""An exact amount, as text on the wire: numbers of JSON are binary fractions to most readers."""

MoneyAmount = Annotated[
    Decimal,
    Field(max_digits=18, decimal_places=4),
    BeforeValidator(_decimal_text),
    WithJsonSchema(
        {"type": "string", "pattern": r"^-?\d{1,14}(\.\d{1,4})?$", "examples": ["1250.00"]}
    ),
]
"""An amount of money: it has as many places as the money of events."""

Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_instant_text),
    AfterValidator(_in_utc),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A moment; any zone on the way in, UTC inside."""

Happened = Annotated[Instant, AfterValidator(_with_room)]
"""When a fact took effect: far enough from both ends of the calendar for any zone's date of it, and
for what is due some days later."""


def _as_in_events(money: event.Money) -> event.Money:
    return event.Money(amount=money.amount, currency=money.currency)


class Money(event.Money):
    """The money of events, with its amount as a decimal string. What is read is an `event.Money`:
    one of another class would never equal the same money in an event."""

    amount: MoneyAmount

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(_as_in_events, handler(source))


class PositionOut(BaseModel):
    """Where a command's last event lies; `after=context/partition/sequence` waits for it."""

    context: str
    partition: int
    sequence: int


class Answer(BaseModel):
    """What every command answers; a subclass declares what a command adds."""

    id: str = Field(json_schema_extra={"format": "uuid"})
    version: int
    position: PositionOut
