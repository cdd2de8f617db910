"""What every event is made of: a frozen model of facts, with its permanent name and its personal fields."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

SELF = "self"


@dataclass(frozen=True, slots=True)
class Personal:
    """Marks a text field as personal data of one subject, encrypted in every stored byte.

    `subject` names the sibling field that holds the subject's id, or is `SELF` when the aggregate
    the event belongs to is the subject.
    """

    subject: str = SELF


class Value(BaseModel):
    """A part of an event: immutable, and closed to fields nobody declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, ser_json_inf_nan="null")


class Event(Value):
    """Something that happened, named in the past tense. `TYPE` is its permanent stored and wire name."""

    TYPE: ClassVar[str]

    def __init_subclass__(cls, *, context: str = "", version: int = 1, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)  # type: ignore[arg-type]
        if context:
            name = cls.__name__ if version == 1 else cls.__name__.removesuffix(f"V{version}")
            cls.TYPE = f"crm.{context}.{name}.v{version}"


Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]
"""One line that may be shown: a name, a reason, a category."""
LongText = Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
"""Free text such as a comment or a reply, in characters."""
Key = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""A stable key chosen by people: a stage, a channel, a source."""


class Money(Value):
    """An amount in one currency (ISO 4217); amounts of different currencies are never added."""

    amount: Decimal = Field(max_digits=18, decimal_places=4)
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class Staff(Value):
    """A member of staff as of the event: later moves between teams never rewrite old numbers."""

    id: UUID
    team: str | None = None
    manager_id: UUID | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class PersonalField:
    """Where a personal value lies in an event, and the field that names its subject."""

    name: str
    subject: str


@cache
def personal_fields(event_type: type[Event]) -> tuple[PersonalField, ...]:
    """The personal fields of an event class, in order of declaration."""
    return tuple(
        PersonalField(name, mark.subject)
        for name, field in event_type.model_fields.items()
        for mark in field.metadata
        if isinstance(mark, Personal)
    )
