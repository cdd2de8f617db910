"""How one file is read as one kind: its columns with their readers, constants and rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from crm_console.importing.errors import FileRefused
from crm_console.importing.fields.field import FieldType, Kind
from crm_console.importing.identity import Identity, Repeats
from crm_console.importing.mapping.columns import currency_in_header
from crm_console.importing.mapping.resolve import FieldMapping
from crm_console.importing.options import ImportOptions
from crm_console.importing.readers import Convention, Readers
from crm_console.importing.reading.table import Table
from crm_console.importing.rows import Column, RowReader, Rule
from crm_console.importing.rules import currency_rule, outcome_rule
from crm_console.importing.stages import refuse_without_order, stages_said
from crm_console.importing.survey import Survey, Surveyor, column_label
from crm_console.importing.values.reading import Reading


class Plan:
    """Made before the first row is read, so that what is wrong as a whole is said at once."""

    def __init__(
        self, kind: Kind, table: Table, mapping: FieldMapping, options: ImportOptions
    ) -> None:
        self._kind, self._table, self._mapping = kind, table, mapping
        self._stages = stages_said(options)
        self._readers = Readers(kind, options, self._stages.names)
        self._refuse_misplaced_stages(options)
        self.survey = self._surveyed()
        self._constants = self._read_constants(mapping.constants)

    def row_reader(self) -> RowReader:
        """A fresh reader for one pass; it numbers repeated rows from the start."""
        columns = self._columns()
        return RowReader(
            self._kind,
            columns,
            self._constants,
            identity=Identity(self._kind, self._mapping),
            repeats=Repeats(self.survey.repeated),
            rules=self._rules(columns),
        )

    def _refuse_misplaced_stages(self, options: ImportOptions) -> None:
        has_stage = any(field.type is FieldType.STAGE for field in self._kind.fields)
        if self._stages.names and not has_stage:
            raise FileRefused(
                f"{self._kind.name} have no stages.", "Leave out --stages, --won and --lost."
            )
        if self._stages.names and not options.stages:
            raise FileRefused(
                "--won and --lost say how deals end, but not where they stood before.",
                'Add the open stages first to last, such as --stages "Qualifying,Negotiating".',
            )

    def _surveyed(self) -> Survey:
        surveyor = Surveyor(self._kind, self._mapping, self._readers.known(self._kind))
        survey = surveyor.survey(self._table)
        if "stage" in self._mapping.columns and not self._stages.names:
            label = column_label(self._table, self._mapping.columns["stage"])
            raise refuse_without_order(label, survey.stages)
        return survey

    def _read_constants(self, constants: Mapping[str, str]) -> dict[str, Reading]:
        if "stage" in constants and not self._stages.names:
            raise refuse_without_order("stage", {constants["stage"]: self.survey.records})
        return {
            field.name: self._readers.constant(field, constants[field.name])
            for field in self._kind.fields
            if field.name in constants
        }

    def _columns(self) -> list[Column]:
        fields = {field.name: field for field in self._kind.fields}
        survey = self.survey
        return [
            Column(
                name,
                indices,
                self._readers.reader(
                    fields[name], Convention(survey.orders.get(name), survey.marks.get(name))
                ),
                column_label(self._table, indices),
            )
            for name, indices in self._mapping.columns.items()
        ]

    def _rules(self, columns: Sequence[Column]) -> list[Rule]:
        rules: list[Rule] = []
        money = self._kind.money_field
        if money:
            column = next((column for column in columns if column.field == money.name), None)
            default = currency_in_header(column.label) if column else None
            expecting = partial(self._readers.amount, self.survey.marks.get(money.name))
            rules.append(
                currency_rule(column, money.name, default or self._readers.currency, expecting)
            )
        stage = self._mapping.columns.get("stage")
        if stage or "stage" in self._constants:
            label = column_label(self._table, stage or ())
            rules.append(outcome_rule(self._stages, label, self._readers.zone))
        return rules
