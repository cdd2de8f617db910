"""What every event is made of: frozen facts, a permanent name, and marks on what is personal."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, ClassVar, Final, TypeVar, get_args
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

    # Values of refused fields stay out of error texts: they end up in logs and in parked letters.
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=False,
        ser_json_inf_nan="null",
        hide_input_in_errors=True,
    )


class Event(Value):
    """Something that happened, named in the past tense. `TYPE` is its permanent name anywhere."""

    TYPE: ClassVar[str]

    def __init_subclass__(cls, *, context: str = "", version: int = 1, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)  # type: ignore[arg-type]
        if context:
            name = cls.__name__ if version == 1 else cls.__name__.removesuffix(f"V{version}")
            cls.TYPE = f"crm.{context}.{name}.v{version}"

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
        """Raises TypeError for a personal mark that cannot seal the value it stands at."""
        for name, field in cls.model_fields.items():
            if _marks_within(field.annotation):
                raise TypeError(f"{cls.__name__}.{name}: {_MARK_THE_WHOLE}")
            marks = [mark for mark in field.metadata if isinstance(mark, Personal)]
            if marks and not _text_or_none(field.annotation):
                raise TypeError(f"{cls.__name__}.{name}: {_TEXT_OR_NONE}")


_MARK_THE_WHOLE: Final = (
    "mark the whole field, as Annotated[Text | None, Personal()]; "
    "a mark further inside would leave the value in plain text."
)
_TEXT_OR_NONE: Final = (
    "a personal field is a text or None, for None is left of it when its subject is erased."
)

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


@cache
def personal_fields_by_subject(event_type: type[Event]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The names of the personal fields of an event class, by what names their subject."""
    fields = personal_fields(event_type)
    return tuple(
        (subject, tuple(field.name for field in fields if field.subject == subject))
        for subject in dict.fromkeys(field.subject for field in fields)
    )


E = TypeVar("E", bound=Event)


def impersonal(event: E) -> E:
    """The event without its personal values, for a copy that needs none of them."""
    said = [f.name for f in personal_fields(type(event)) if getattr(event, f.name) is not None]
    return event.model_copy(update=dict.fromkeys(said)) if said else event


def _marks_within(annotation: Any) -> bool:
    """Whether a part of a field's type is marked, not the field itself."""
    parts: list[Any] = [*get_args(annotation), *getattr(annotation, "__metadata__", ())]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields.values()
        parts += [part for field in fields for part in (field.annotation, *field.metadata)]
    return any(isinstance(part, Personal) or _marks_within(part) for part in parts)


def _text_or_none(annotation: Any) -> bool:
    kinds = {getattr(part, "__origin__", part) for part in get_args(annotation)}
    return kinds == {str, type(None)}


class Withdrawal(Event):
    """Some of a thing's events say nothing any more, from their beginning on, as if they had never
    been. They stay where they are, and what was known before stays known.

    `versions` are theirs in the thing's stream; `undoes` is the correlation that they came under.
    With `gone`, nothing is left of the thing until it is begun anew.
    """

    versions: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)]
    undoes: UUID
    gone: bool
