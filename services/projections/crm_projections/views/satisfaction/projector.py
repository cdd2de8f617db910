"""Ticketing's events to facts of tickets and surveys, a batch at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from crm_events.event import Event
from sqlalchemy import Connection, MetaData

from crm_projections.columns.layout import Layout
from crm_projections.engine.view import Answer, Cut, Received
from crm_projections.facts.instants import Reporting
from crm_projections.views.satisfaction.evidence import SatisfactionFigures
from crm_projections.views.satisfaction.facts import SatisfactionTables, satisfaction_tables
from crm_projections.views.satisfaction.kept import surveys_layout, tickets_layout
from crm_projections.views.satisfaction.parameters import SatisfactionParameters
from crm_projections.views.satisfaction.queries import DEFINITION, answer
from crm_projections.views.satisfaction.rule import SurveyRule
from crm_projections.views.satisfaction.states import HANDLED, fact_of
from crm_projections.views.satisfaction.storage import Ticket, load_tickets, store_tickets


class SatisfactionView:
    """Tickets, the surveys they sent, and what customers answered."""

    definition: ClassVar = DEFINITION
    contexts: ClassVar = ("ticketing",)
    handles: ClassVar[frozenset[type[Event]]] = frozenset(HANDLED)
    parameters: ClassVar = SatisfactionParameters
    policy: ClassVar = SurveyRule

    def __init__(self, reporting: Reporting) -> None:
        self._reporting = reporting

    def tables(self, metadata: MetaData, suffix: str) -> SatisfactionTables:
        return satisfaction_tables(metadata, suffix)

    def apply(
        self, connection: Connection, tables: SatisfactionTables, batch: Sequence[Received]
    ) -> None:
        facts = [fact_of(received, self._reporting.zone) for received in batch]
        first = {fact.unit: fact.version for fact in reversed(facts)}
        known = [unit for unit, version in first.items() if version > 1]
        tickets = load_tickets(connection, tables, known)
        for fact in facts:
            tickets.setdefault(fact.unit, Ticket()).take(fact)
        store_tickets(connection, tables, facts, tickets)

    def answer(
        self,
        connection: Connection,
        tables: SatisfactionTables,
        cut: Cut,
        parameters: SatisfactionParameters,
    ) -> Answer:
        return answer(connection, tables, cut, parameters)

    def suppose(
        self,
        connection: Connection,
        tables: SatisfactionTables,
        cut: Cut,
        parameters: SatisfactionParameters,
        policy: SurveyRule,
    ) -> Answer:
        return answer(connection, tables, cut, parameters, policy)

    def layouts(self, tables: SatisfactionTables) -> tuple[Layout, ...]:
        return tickets_layout(tables), surveys_layout(tables)

    def sums(
        self, connection: Connection, tables: SatisfactionTables, cut: Cut, parameters: Any
    ) -> SatisfactionFigures:
        zone = self._reporting.zone
        return SatisfactionFigures(connection, tables, parameters, cut.as_of, zone)
