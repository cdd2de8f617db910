"""The first pass over a file: what can only be known from a whole column, and what repeats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from crm_console.importing.errors import FileRefused
from crm_console.importing.evidence import Evidence, Way
from crm_console.importing.fields.field import FieldType, Kind
from crm_console.importing.identity import Fingerprints, Identity, joined
from crm_console.importing.mapping.resolve import FieldMapping
from crm_console.importing.reading.table import Table
from crm_console.importing.values.calendar import Order
from crm_console.importing.values.date_order import Orders, date_order, possible_orders
from crm_console.importing.values.separators import Mark, decimal_mark, shown_mark

TIMES: Final = frozenset((FieldType.TIME, FieldType.DATE))
NUMBERS: Final = frozenset((FieldType.MONEY, FieldType.NUMBER))
_MOST_STAGES: Final = 50
Verdict = TypeVar("Verdict")


@dataclass(frozen=True, slots=True)
class Survey:
    """`records` counts all that are not blank; `repeated` are hashes of rows that come again."""

    records: int
    orders: dict[str, Order | None]
    marks: dict[str, Mark | None]
    stages: dict[str, int]
    repeated: frozenset[int]


class Surveyor:
    """Watches the columns of one file. What the person has said already is not watched for."""

    def __init__(self, kind: Kind, mapping: FieldMapping, known: frozenset[str]) -> None:
        self._columns = dict(mapping.columns)
        self._identity = Identity(kind, mapping)
        types = {field.name: field.type for field in kind.fields if field.name not in known}
        watched = {name: types[name] for name in self._columns if name in types}
        self._dates: dict[str, Evidence[Orders]] = {
            name: Evidence(possible_orders) for name, type_ in watched.items() if type_ in TIMES
        }
        self._numbers: dict[str, Evidence[Mark]] = {
            name: Evidence(shown_mark) for name, type_ in watched.items() if type_ in NUMBERS
        }
        self._stage = next((n for n, type_ in watched.items() if type_ is FieldType.STAGE), None)
        self._stages: Counter[str] = Counter()

    def survey(self, table: Table) -> Survey:
        """Reads the file once; raises FileRefused naming every column that reads two ways."""
        fingerprints = Fingerprints()
        observers = self._observers()
        records = 0
        for line, cells, problem in table.records():
            records += 1
            if problem:
                continue
            fingerprints.add(self._identity.text(cells))
            for indices, observe in observers:
                observe(line, joined(cells, indices))
        return self._concluded(table, records, fingerprints)

    def _observers(self) -> list[tuple[tuple[int, ...], Callable[[int, str], None]]]:
        observers: list[tuple[tuple[int, ...], Callable[[int, str], None]]] = [
            *((self._columns[name], dates.observe) for name, dates in self._dates.items()),
            *((self._columns[name], numbers.observe) for name, numbers in self._numbers.items()),
        ]
        if self._stage:
            observers.append((self._columns[self._stage], self._count_stage))
        return observers

    def _count_stage(self, line: int, text: str) -> None:  # noqa: ARG002 - an observer
        if text and (text in self._stages or len(self._stages) < _MOST_STAGES):
            self._stages[text] += 1

    def _concluded(self, table: Table, records: int, fingerprints: Fingerprints) -> Survey:
        refused: list[str] = []
        labels = {name: column_label(table, found) for name, found in self._columns.items()}
        orders = _judged(self._dates, labels, date_order, refused)
        marks = _judged(self._numbers, labels, partial(decimal_mark, table.delimiter), refused)
        if refused:
            raise FileRefused("\n".join(refused))
        return Survey(records, orders, marks, dict(self._stages), fingerprints.repeated())


def _judged(
    evidence: Mapping[str, Evidence[Way]],
    labels: Mapping[str, str],
    judge: Callable[[str, Mapping[Way, tuple[int, str]]], Verdict],
    refused: list[str],
) -> dict[str, Verdict]:
    """The verdict per field; what a column is refused for is appended to `refused`."""
    verdicts: dict[str, Verdict] = {}
    for name, one in evidence.items():
        try:
            verdicts[name] = judge(labels[name], one.examples)
        except FileRefused as refusal:
            refused.append(str(refusal))
    return verdicts


def column_label(table: Table, indices: tuple[int, ...]) -> str:
    """`Date` or `Date+Time`, as it would be written after `--map field=`."""
    return "+".join(table.headers.names[index] for index in indices)
