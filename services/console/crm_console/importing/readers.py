"""The reader of each mapped column, put together from its type, its options and the survey."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from crm_console.importing.errors import BadValue, FileRefused
from crm_console.importing.fields.field import Field, FieldType, Kind
from crm_console.importing.options import ImportOptions
from crm_console.importing.survey import NUMBERS, TIMES
from crm_console.importing.values.calendar import Order
from crm_console.importing.values.date_format import DateFormat, date_format
from crm_console.importing.values.numbers import amount_reader, number_reader
from crm_console.importing.values.reading import Reader, Reading
from crm_console.importing.values.separators import Mark, decimal_mark, shown_mark
from crm_console.importing.values.text import (
    code_reader,
    line_reader,
    prose_reader,
    stage_reader,
    tags_reader,
)
from crm_console.importing.values.times import day_reader, parser, time_reader, zone_named
from crm_console.importing.values.words import (
    read_currency,
    read_flag,
    read_priority,
    read_rating,
)

_LINE: Final = 500
_LABEL: Final = 200
_PROSE: Final = 20_000
_REMEMBERED: Final = 1 << 14
"""Values of a column whose reading is kept: most columns repeat few."""


class Convention(NamedTuple):
    """How one column writes dates and numbers."""

    order: Order | None = None
    mark: Mark | None = None


class Readers:
    """Makes readers for the fields of one import."""

    def __init__(self, kind: Kind, options: ImportOptions, stages: Sequence[str]) -> None:
        self.zone: ZoneInfo = zone_named(options.timezone)
        self._formats = _formats_by_field(kind, options.date_formats)
        self._mark = _said_mark(options.decimal)
        self._stages = stages
        self.currency = _said_currency(options.currency)

    def known(self, kind: Kind) -> frozenset[str]:
        """Fields of which the person has said what a survey would look for."""
        numbers = {field.name for field in kind.fields if self._mark and field.type in NUMBERS}
        stage = {
            field.name for field in kind.fields if self._stages and field.type is FieldType.STAGE
        }
        return frozenset(numbers | stage | self._formats.keys())

    def reader(self, field: Field, convention: Convention) -> Reader:
        """The reader of a column of this field; repeated values cost a look-up."""
        read = self._reader(field, convention)
        return lru_cache(_REMEMBERED)(read) if field.type is not FieldType.TAGS else read

    def constant(self, field: Field, text: str) -> Reading:
        """A `--set` value, which must read one way by itself."""
        try:
            shown = shown_mark(text)
            examples = {shown: (0, text)} if shown else {}
            mark = decimal_mark(",", field.name, examples) if field.type in NUMBERS else None
            return self._reader(field, Convention(None, self._mark or mark))(text)
        except BadValue as bad:
            raise FileRefused(f"--set {field.name}={text}: it {bad.reason}.", bad.remedy) from bad

    def amount(self, mark: Mark | None, expected: str | None) -> Reader:
        """Reads money where a shared sign such as `$` means the expected currency."""
        return amount_reader(self._mark or mark, expected)

    def _reader(self, field: Field, convention: Convention) -> Reader:
        if field.type in TIMES:
            return self._time_reader(field, convention.order)
        mark = self._mark or convention.mark
        makers: dict[FieldType, Reader] = {
            FieldType.KEY: code_reader(_LABEL),
            FieldType.TEXT: line_reader(_LINE),
            FieldType.LABEL: line_reader(_LABEL),
            FieldType.PROSE: prose_reader(_PROSE),
            FieldType.PHONE: code_reader(_LINE),
            FieldType.TAGS: tags_reader(_LABEL),
            FieldType.STAGE: stage_reader(self._stages),
            FieldType.MONEY: amount_reader(mark, self.currency),
            FieldType.CURRENCY: read_currency,
            FieldType.NUMBER: number_reader(mark),
            FieldType.FLAG: read_flag,
            FieldType.RATING: read_rating,
            FieldType.PRIORITY: read_priority,
        }
        return makers[field.type]

    def _time_reader(self, field: Field, order: Order | None) -> Reader:
        parse = parser(self._formats.get(field.name, ()), order)
        make = time_reader if field.type is FieldType.TIME else day_reader
        return make(parse, self.zone)


def _formats_by_field(kind: Kind, said: Sequence[str]) -> dict[str, list[DateFormat]]:
    """`opened_at=DD/MM/YYYY` is for that field; a form without a field is for all the others."""
    names = [field.name for field in kind.fields if field.type in TIMES]
    own: dict[str, list[DateFormat]] = {}
    general: list[DateFormat] = []
    for text in said:
        name, equals, form = text.partition("=")
        if equals and name not in names:
            raise FileRefused(
                f"--date-format {text}: {name} is no date of {kind.name}.",
                f"Dates: {', '.join(names) or 'none'}.",
            )
        target = own.setdefault(name, []) if equals else general
        target.append(date_format(form.strip() if equals else text.strip()))
    if general:
        own |= {name: general for name in names if name not in own}
    return own


def _said_mark(decimal: str | None) -> Mark | None:
    if decimal is None:
        return None
    if decimal not in {Mark.POINT, Mark.COMMA}:
        raise FileRefused(f"--decimal {decimal!r} is unknown.", "Say point or comma.")
    return Mark(decimal)


def _said_currency(currency: str | None) -> str | None:
    if currency is None:
        return None
    try:
        read = read_currency(currency).value
    except BadValue as bad:
        raise FileRefused(f"--currency {currency!r} {bad.reason}.", bad.remedy) from bad
    return str(read) if read else None
