"""Rows of a file of tickets: who had it, how it ended, and what the customer thought of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from crm_events.event import Staff
from crm_events.store.port import DirectoryEntry
from crm_service.importing.customers import Customers
from crm_service.importing.dates import (
    dates_entry,
    differing_date,
    refuse_future,
    refuse_other_date,
)
from crm_service.importing.options import Options, options_of
from crm_service.importing.protocol import ImportIn, ImportKind, RowRefused
from crm_service.staff import staff_of

from crm_ticketing.application import TicketingApplication
from crm_ticketing.application.surveys import survey_id
from crm_ticketing.domain.concern import Concern
from crm_ticketing.domain.survey import Survey
from crm_ticketing.domain.ticket import Ticket
from crm_ticketing.imports.row import UNKNOWN, TicketRow


class TicketImport(ImportKind[Ticket, TicketRow]):
    """A ticket takes the state of its row at the row's times; nobody is asked anything by it.

    A later row of the same ticket changes only what it says otherwise. An answer to a survey can be
    replaced by another one, never taken back.
    """

    name: ClassVar = "tickets"
    aggregate = Ticket
    row = TicketRow

    def __init__(self, app: TicketingApplication, request: ImportIn) -> None:
        options_of(Options, request)
        self._app = app
        self._dry_run = request.dry_run
        self._customers = Customers(app.secret, request.source)
        self._staff: Mapping[UUID, Staff] = {}

    def look_up(self, rows: Sequence[TicketRow]) -> None:
        agents = {row.agent_id for row in rows if row.agent_id is not None}
        self._staff = staff_of(self._app.recorder, agents)

    def decide(self, thing: Ticket, row: TicketRow, *, at: datetime) -> Iterable[DirectoryEntry]:
        dates = {"opened_at": row.opened_at, "closed_at": row.closed_at}
        for column, moment in dates.items():
            refuse_future(column, moment, at)
        if row.comment is not None and row.rating is None:
            raise RowRefused("comment", "a comment belongs to a rating; give both or neither")
        agent = self._agent(row)
        if not thing.begun:
            self._open(thing, row, agent, at)
        else:
            self._refuse_other_dates(thing, row)
            self._amend(thing, row, agent, at)
        _end(thing, row, row.ended(at))
        return (dates_entry(thing.id, dates),)

    def _open(self, ticket: Ticket, row: TicketRow, agent: Staff | None, at: datetime) -> None:
        opened_at = row.opened(at)
        ticket.open(self._concern(row), row.summary, at=opened_at)
        if agent is not None:
            ticket.assign(agent, at=opened_at)
        if row.answered:
            ticket.reply(None, agent=agent, at=opened_at)

    def _amend(self, ticket: Ticket, row: TicketRow, agent: Staff | None, at: datetime) -> None:
        """What the row says otherwise; a closed ticket keeps the agent who closed it."""
        ticket.amend(self._concern(row, ticket.concern), at=at)
        if agent is not None and (ticket.agent is None or agent.id != ticket.agent.id):
            if ticket.status == "closed":
                raise RowRefused("agent_id", "the ticket is closed; reopen it to assign it anew")
            ticket.assign(agent, at=at)
        if ticket.status == "closed" and _ended_otherwise(ticket, row):
            ticket.reopen(at=row.ended(at))

    def _concern(self, row: TicketRow, known: Concern | None = None) -> Concern:
        before = known or Concern(UNKNOWN, UNKNOWN)
        return Concern(
            row.category or before.category,
            row.channel or before.channel,
            row.priority or before.priority,
            self._customers.id(row.customer_id, row.customer_key) or before.customer_id,
        )

    def _agent(self, row: TicketRow) -> Staff | None:
        """A dry run made no stubs, so that whoever is missing then is none."""
        if row.agent_id is None:
            return None
        if row.agent_id not in self._staff and not self._dry_run:
            remedy = f"there is no member of staff {row.agent_id}; resolve the name first"
            raise RowRefused("agent_id", remedy)
        return self._staff.get(row.agent_id, Staff(id=row.agent_id))

    def _refuse_other_dates(self, ticket: Ticket, row: TicketRow) -> None:
        dates = {"opened_at": row.opened_at, "closed_at": row.closed_at}
        column = differing_date(self._app.recorder, ticket.id, dates)
        if column:
            raise refuse_other_date(column)


def _ended_otherwise(ticket: Ticket, row: TicketRow) -> bool:
    """Whether the row has the closed ticket open, or closed with another success."""
    return not row.is_closed or row.is_resolved != ticket.solved


def _end(ticket: Ticket, row: TicketRow, at: datetime) -> None:
    """Resolved, asked, answered and closed, as far as the row goes and the ticket has not."""
    if row.is_resolved and ticket.status in ("open", "held"):
        ticket.resolve(at=at)
    if row.rateable:
        _rate(ticket, row, at)
    if row.is_closed and ticket.status != "closed":
        ticket.close_as_recorded(at=at)


def _rate(ticket: Ticket, row: TicketRow, at: datetime) -> None:
    id_, known = _survey(ticket, at)
    if row.rating is None and known.score is not None:
        raise RowRefused("rating", "the customer has answered before; an answer is not taken back")
    if row.rating is not None and (row.rating, row.comment) != (known.score, known.comment):
        ticket.score_survey(id_, row.rating, row.comment, locks_after=None, at=at)


def _survey(ticket: Ticket, at: datetime) -> tuple[UUID, Survey]:
    """A file asks once for each ticket, however often it was resolved."""
    if not ticket.surveys:
        id_ = survey_id(ticket.id, ticket.cycle)
        ticket.send_survey(id_, ticket.cycle, due_at=None, at=at)
    return list(ticket.surveys.items())[-1]
