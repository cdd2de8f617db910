"""Tickets and surveys to and from their tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from crm_events.event import Event, impersonal
from sqlalchemy import Connection, Table, select

from crm_projections.engine.writing import end_rows, insert_rows
from crm_projections.facts.instants import FOREVER
from crm_projections.facts.timeline import Interval, KnownInterval, Unit
from crm_projections.views.satisfaction.facts import SatisfactionTables
from crm_projections.views.satisfaction.states import (
    HANDLED,
    Handling,
    SurveyHistory,
    SurveyState,
    TicketFact,
    TicketState,
    fold_survey,
    fold_ticket,
    survey_of,
)

_TYPES: Final[Mapping[str, type[Event]]] = {event.TYPE: event for event in HANDLED}
_CHUNK: Final = 500
_FACT: Final = (
    "unit",
    "version",
    "sequence",
    "effective",
    "week",
    "month",
    "event_id",
    "supersedes",
)
_HANDLING: Final = tuple(Handling.__dataclass_fields__)


@dataclass(slots=True)
class Ticket:
    """One ticket's timeline and one for each of its surveys, over the same facts."""

    ticket: Unit[TicketState, TicketFact] = field(default_factory=Unit)
    surveys: dict[UUID, Unit[SurveyHistory, TicketFact]] = field(default_factory=dict)

    def take(self, fact: TicketFact) -> None:
        before = list(self.ticket.facts)
        self.ticket.take(fact, fold_ticket)
        survey = survey_of(fact.event)
        if survey is not None and survey not in self.surveys:
            self.surveys[survey] = Unit(facts=before)
        for survey_id, unit in self.surveys.items():
            unit.take(fact, fold_survey(survey_id))


def load_tickets(
    connection: Connection, tables: SatisfactionTables, ids: Sequence[UUID]
) -> dict[UUID, Ticket]:
    """Tickets as they are believed now, with the facts they follow from."""
    found: dict[UUID, Ticket] = {}
    for start in range(0, len(ids), _CHUNK):
        _load(connection, tables, ids[start : start + _CHUNK], found)
    return found


def load_facts(
    connection: Connection, tables: SatisfactionTables, ids: Sequence[UUID]
) -> dict[UUID, list[TicketFact]]:
    """Every fact of these tickets, in the order they became known."""
    found: dict[UUID, list[TicketFact]] = {}
    for start in range(0, len(ids), _CHUNK):
        for fact in _facts(connection, tables.events, ids[start : start + _CHUNK]):
            found.setdefault(fact.unit, []).append(fact)
    return found


def _facts(connection: Connection, events: Table, ids: Sequence[UUID]) -> Iterable[TicketFact]:
    facts = select(events).where(events.c.unit.in_(ids)).order_by(events.c.sequence)
    for row in connection.execute(facts).mappings():
        event = _TYPES[row["type"]].model_validate_json(row["data"])
        yield TicketFact(**{name: row[name] for name in _FACT}, event=event)


def _load(
    connection: Connection,
    tables: SatisfactionTables,
    ids: Sequence[UUID],
    found: dict[UUID, Ticket],
) -> None:
    for fact in _facts(connection, tables.events, ids):
        found.setdefault(fact.unit, Ticket()).ticket.facts.append(fact)
    for row in _believed(connection, tables.tickets, ids):
        ticket = TicketState(
            _handling(row), row["opened_at"], row["week"], row["month"], row["resolved"]
        )
        found[row["unit"]].ticket.known.append(_known(row, ticket))
    for row in _believed(connection, tables.surveys, ids):
        owner = found[row["unit"]]
        survey = SurveyState(
            _handling(row), row["delivered_at"], row["week"], row["month"], row["score"]
        )
        unit = owner.surveys.setdefault(row["survey"], Unit(facts=list(owner.ticket.facts)))
        unit.known.append(_known(row, survey))


def _believed(connection: Connection, table: Table, ids: Sequence[UUID]) -> Iterable[Any]:
    query = select(table).where(table.c.unit.in_(ids), table.c.known_to == FOREVER)
    return connection.execute(query).mappings()


def _handling(row: Any) -> Handling:
    return Handling(**{name: row[name] for name in _HANDLING})


def _known(row: Any, state: Any) -> KnownInterval[Any]:
    interval = Interval(row["valid_from"], row["valid_to"], row["event_id"], state)
    return KnownInterval(interval, row["known_from"], row["known_to"], row["id"])


def store_tickets(
    connection: Connection,
    tables: SatisfactionTables,
    facts: Sequence[TicketFact],
    tickets: Mapping[UUID, Ticket],
) -> None:
    """Write the new facts, end the intervals they contradict and begin those they imply."""
    _insert(connection, tables.events, [_event_row(fact) for fact in facts])
    ticket_units = [ticket.ticket for ticket in tickets.values()]
    survey_units = [unit for ticket in tickets.values() for unit in ticket.surveys.values()]
    _end(connection, tables.tickets, ticket_units)
    _end(connection, tables.surveys, survey_units)
    begun = [row for ticket in tickets.values() for row in _ticket_rows(ticket)]
    _insert(connection, tables.tickets, begun)
    surveyed = [row for ticket in tickets.values() for row in _survey_rows(ticket)]
    _insert(connection, tables.surveys, surveyed)


def _insert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        insert_rows(connection, table, tuple(rows[0]), [tuple(row.values()) for row in rows])


def _event_row(fact: TicketFact) -> dict[str, Any]:
    row = {name: getattr(fact, name) for name in _FACT}
    data = impersonal(fact.event).model_dump_json().encode()
    return row | {"type": fact.event.TYPE, "data": data}


def _end(connection: Connection, table: Table, units: Iterable[Unit[Any, Any]]) -> None:
    ended = (known for unit in units for known in unit.ended())
    end_rows(connection, table, {k.stored: k.known_to for k in ended if k.stored})


def _ticket_rows(ticket: Ticket) -> Iterable[dict[str, Any]]:
    for known in ticket.ticket.begun():
        state = known.interval.state
        yield _row(ticket, known, state) | {
            "opened_at": state.opened_at,
            "resolved": state.resolved,
        }


def _survey_rows(ticket: Ticket) -> Iterable[dict[str, Any]]:
    for survey, unit in ticket.surveys.items():
        for known in unit.begun():
            state = known.interval.state
            if isinstance(state, SurveyState):
                yield _row(ticket, known, state) | {
                    "survey": survey,
                    "delivered_at": state.delivered_at,
                    "score": state.score,
                }


def _row(
    ticket: Ticket, known: KnownInterval[Any], state: TicketState | SurveyState
) -> dict[str, Any]:
    row = {name: getattr(state.handling, name) for name in _HANDLING}
    return row | {
        "unit": ticket.ticket.facts[0].unit,
        "context": "ticketing",
        "known_from": known.known_from,
        "known_to": known.known_to,
        "valid_from": known.interval.valid_from,
        "valid_to": known.interval.valid_to,
        "event_id": known.interval.event_id,
        "week": state.week,
        "month": state.month,
    }
