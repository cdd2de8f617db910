"""The commands about tickets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from crm_events.application import Outcome
from crm_events.ids import new_id
from crm_events.store.mapper import Cause

from crm_ticketing.application.directory import Directory, assign_by_rules
from crm_ticketing.domain.concern import Concern
from crm_ticketing.domain.ticket import Ticket


class Tickets(Directory):
    """Tickets from opening to closing, and again."""

    def open_ticket(
        self, cause: Cause, concern: Concern, summary: str | None, agent_id: UUID | None = None
    ) -> Outcome:
        """For the named agent, else for the one whom the rules choose."""

        def decide() -> Ticket:
            ticket = Ticket(new_id())
            ticket.open(concern, summary, at=cause.at)
            if agent_id is not None:
                ticket.assign(self.staff(agent_id), at=cause.at)
            else:
                assign_by_rules(ticket, self.rules(), self.staff_or_none, at=cause.at)
            return ticket

        return self.execute(cause, decide)

    def assign_ticket(
        self, cause: Cause, id: UUID, agent_id: UUID, expected: int | None = None
    ) -> Outcome:
        def assign(ticket: Ticket) -> None:
            ticket.assign(self.staff(agent_id), at=cause.at)

        return self.change(cause, id, assign, expected)

    def reply_to_ticket(
        self, cause: Cause, id: UUID, body: str, *, public: bool, agent_id: UUID | None
    ) -> Outcome:
        """By the named agent, else by whoever has the ticket. Replies commute."""

        def reply(ticket: Ticket) -> None:
            agent = ticket.agent if agent_id is None else self.staff(agent_id)
            ticket.reply(body, public=public, agent=agent, at=cause.at)

        return self.change(cause, id, reply, None, commutes=True)

    def hold_ticket(
        self, cause: Cause, id: UUID, reason: str, expected: int | None = None
    ) -> Outcome:
        return self.change(cause, id, lambda ticket: ticket.hold(reason, at=cause.at), expected)

    def resume_ticket(self, cause: Cause, id: UUID, expected: int | None = None) -> Outcome:
        return self.change(cause, id, lambda ticket: ticket.resume(at=cause.at), expected)

    def resolve_ticket(
        self, cause: Cause, id: UUID, resolution: str | None, expected: int | None = None
    ) -> Outcome:
        def resolve(ticket: Ticket) -> None:
            ticket.resolve(resolution, at=cause.at)

        return self.change(cause, id, resolve, expected)

    def close_ticket(self, cause: Cause, id: UUID, expected: int | None = None) -> Outcome:
        return self.change(cause, id, lambda ticket: ticket.close(at=cause.at), expected)

    def reopen_ticket(
        self, cause: Cause, id: UUID, reason: str | None, expected: int | None = None
    ) -> Outcome:
        return self.change(cause, id, lambda ticket: ticket.reopen(reason, at=cause.at), expected)

    def amend_ticket(
        self, cause: Cause, id: UUID, changes: Mapping[str, Any], expected: int | None = None
    ) -> Outcome:
        """`changes` are fields of `Concern`; those not named stay."""

        def amend(ticket: Ticket) -> None:
            ticket.amend(replace(ticket.concern, **changes), at=cause.at)

        return self.change(cause, id, amend, expected)
