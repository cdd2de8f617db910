"""Hypothesis strategies for every event class, from its own fields and their limits."""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Final, Literal, TypeVar, Union, get_args, get_origin
from uuid import UUID

from crm_events.catalogue import CATALOGUE
from crm_events.event import Event, Value
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from pydantic import AwareDatetime, StringConstraints
from pydantic.fields import FieldInfo

V = TypeVar("V", bound=Value)

_TEXT: Final = st.characters(exclude_categories=["Cs"])
_TELLING: Final = ("张伟（北京）", "ＧＴＸ　Pro①", '"\\', "~1.", "😀ß\u0000\u200b")
# ISO 8601 has offsets of whole minutes; in 1972 the last place on earth came to keep one.
_INSTANTS: Final = st.datetimes(datetime(1973, 1, 1), timezones=st.timezones())  # noqa: DTZ001
_UNCONSTRAINED: Final = StringConstraints(max_length=500)


def any_event() -> SearchStrategy[Event]:
    """An event of any class in the catalogue."""
    return st.sampled_from(sorted(CATALOGUE)).flatmap(lambda name: events_of(CATALOGUE[name]))


@cache
def events_of(kind: type[V]) -> SearchStrategy[V]:
    """Instances of one class; fields with a default are sometimes left out."""
    fields = kind.model_fields.items()
    needed = {name: _of_field(field) for name, field in fields if field.is_required()}
    optional = {name: _of_field(field) for name, field in fields if not field.is_required()}
    return st.fixed_dictionaries(needed, optional=optional).map(lambda given: kind(**given))


def _of_field(field: FieldInfo) -> SearchStrategy[Any]:
    return _of(field.annotation, tuple(field.metadata))


def _of(annotation: Any, marks: tuple[Any, ...]) -> SearchStrategy[Any]:
    if annotation is AwareDatetime:
        return _INSTANTS
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _of(parts[0], (*marks, *_flat(parts[1:])))
    if origin is Literal:
        return st.sampled_from(parts)
    if origin in {Union, types.UnionType}:
        return st.one_of(*(_of(part, marks) for part in parts))
    if origin is tuple:
        return st.lists(_of(parts[0], ()), min_size=_limit(marks, "min_length", 0), max_size=4).map(
            tuple
        )
    return _plain(annotation, marks)


def _flat(marks: Iterable[Any]) -> Iterator[Any]:
    """What stands inside a Field is a mark like any other."""
    for mark in marks:
        yield from mark.metadata if isinstance(mark, FieldInfo) else (mark,)


def _plain(kind: type[Any], marks: tuple[Any, ...]) -> SearchStrategy[Any]:
    if issubclass(kind, Value):
        return events_of(kind)
    if kind is str:
        return _text(marks)
    if kind is Decimal:
        return _decimal(marks)
    if kind is int:
        return st.integers(_limit(marks, "ge", -(2**31)), _limit(marks, "le", 2**31))
    if kind is float:
        return st.floats(_limit(marks, "ge", None), _limit(marks, "le", None))
    return _SIMPLE[kind]


_SIMPLE: Final[dict[type[Any], SearchStrategy[Any]]] = {
    UUID: st.uuids(),
    bool: st.booleans(),
    date: st.dates(),
    types.NoneType: st.none(),
}


def _text(marks: Iterable[Any]) -> SearchStrategy[str]:
    limits = next((m for m in marks if isinstance(m, StringConstraints)), _UNCONSTRAINED)
    if limits.pattern is not None:
        return st.from_regex(limits.pattern, fullmatch=True)
    least, most = limits.min_length or 0, limits.max_length or 500
    longest = _TEXT.map(lambda character: character * most)
    return st.text(_TEXT, min_size=least, max_size=12) | st.sampled_from(_TELLING) | longest


def _decimal(marks: tuple[Any, ...]) -> SearchStrategy[Decimal]:
    digits, places = _limit(marks, "max_digits", None), _limit(marks, "decimal_places", None)
    most = 10**digits - 1
    least = 0 if _limit(marks, "ge", None) == 0 else -most
    whole = 10 ** (digits - places)
    units = st.integers(max(least, -whole + 1), whole - 1).map(Decimal)
    return units | st.integers(least, most).map(lambda n: Decimal(n).scaleb(-places))


def _limit(marks: Iterable[Any], name: str, default: Any) -> Any:
    """A limit, wherever pydantic keeps it."""
    for mark in marks:
        found = getattr(mark, name, None)
        if found is not None:
            return found
    return default
