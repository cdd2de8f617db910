from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from crm_events.contracts.ticketing import (
    TicketAmended,
    TicketClosed,
    TicketHeld,
    TicketReopened,
    TicketReplied,
    TicketResumed,
)
from crm_events.event import Event
from crm_ticketing.domain.concern import Concern, TicketExists, TicketNotReady
from crm_ticketing.domain.ticket import Ticket

from tests.support.decisions import NOW, given
from tests.ticketing.telling import CUSTOMER, MEI, TOM, assigned, opened, resolved, scored, sent

HELD, CLOSED = TicketHeld(customer_id=CUSTOMER, reason="waiting for parts"), TicketClosed()
BILLING = Concern("billing", "web", "normal", CUSTOMER)
OPEN = (opened(),)
ENDED = (opened(), resolved(), sent(), scored(), CLOSED)
STATES: dict[str, tuple[Event, ...]] = {
    "new": (),
    "open": OPEN,
    "held": (*OPEN, HELD),
    "resolved": (*OPEN, resolved()),
    "closed": ENDED,
}
COMMANDS: dict[str, tuple[Callable[[Ticket], Any], str]] = {
    "assign": (lambda t: t.assign(TOM, at=NOW), "open held resolved"),
    "reply": (lambda t: t.reply("hello", at=NOW), "open held resolved"),
    "hold": (lambda t: t.hold("parts", at=NOW), "open"),
    "resume": (lambda t: t.resume(at=NOW), "held"),
    "resolve": (lambda t: t.resolve(at=NOW), "open held"),
    "close": (lambda t: t.close(at=NOW), "resolved"),
    "close_as_recorded": (lambda t: t.close_as_recorded(at=NOW), "open held resolved"),
    "reopen": (lambda t: t.reopen(at=NOW), "resolved closed"),
}


def test_opening_records_the_concern() -> None:
    concern = Concern("billing", "web", "high", CUSTOMER)
    feedback = UUID(int=4)
    given(Ticket).when(lambda t: t.open(concern, "Paid twice", feedback, at=NOW)).then(
        opened(summary="Paid twice", feedback_id=feedback, priority="high")
    )


def test_a_ticket_is_opened_once() -> None:
    given(Ticket, *OPEN).when(lambda t: t.open(BILLING, at=NOW)).then(TicketExists)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("state", STATES)
def test_status_decides_what_may_be_done(command: str, state: str) -> None:
    decide, allowed = COMMANDS[command]
    decision = given(Ticket, *STATES[state]).when(decide)
    if state not in allowed.split():
        decision.then(TicketNotReady)
    elif (command, state) != ("close", "resolved"):
        assert len(decision.aggregate.pending) == 1


def test_the_same_agent_is_no_change() -> None:
    given(Ticket, *OPEN, assigned(MEI)).when(lambda t: t.assign(MEI, at=NOW)).then()
    given(Ticket, *OPEN, assigned(MEI)).when(lambda t: t.assign(TOM, 3, at=NOW)).then(
        assigned(TOM, 3)
    )


def test_replies_are_public_or_among_colleagues() -> None:
    note = TicketReplied(customer_id=CUSTOMER, body="call back", public=False, agent=MEI)
    given(Ticket, *OPEN).when(lambda t: t.reply("call back", public=False, agent=MEI, at=NOW)).then(
        note
    )


def test_holding_and_resuming_leave_the_ticket_open() -> None:
    given(Ticket, *OPEN, HELD).when(lambda t: t.resume(at=NOW)).then(TicketResumed())
    again = given(Ticket, *OPEN, HELD, TicketResumed()).when(lambda t: t.hold("x", at=NOW))
    again.then(TicketHeld(customer_id=CUSTOMER, reason="x"))


def test_resolving_credits_whoever_has_it() -> None:
    before = (opened(), assigned(TOM), HELD)
    given(Ticket, *before).when(lambda t: t.resolve("refunded", at=NOW)).then(
        resolved(1, TOM, resolution="refunded")
    )


def test_reopening_begins_another_cycle() -> None:
    given(Ticket, *ENDED).when(lambda t: t.reopen("not fixed", at=NOW)).then(
        TicketReopened(customer_id=CUSTOMER, reason="not fixed")
    )
    given(Ticket, *ENDED, TicketReopened()).when(lambda t: t.resolve(at=NOW)).then(resolved(2))


def test_amending_states_the_concern_anew() -> None:
    changed = Concern("delivery", "web", "urgent", CUSTOMER)
    given(Ticket, *ENDED).when(lambda t: t.amend(changed, at=NOW)).then(
        TicketAmended(customer_id=CUSTOMER, category="delivery", channel="web", priority="urgent")
    )
    given(Ticket, *OPEN).when(lambda t: t.amend(BILLING, at=NOW)).then()


@pytest.mark.parametrize("solved", [True, False])
def test_what_was_closed_elsewhere_is_closed_as_it_was(solved: bool) -> None:
    before = (opened(), resolved()) if solved else OPEN
    decision = given(Ticket, *before).when(lambda t: t.close_as_recorded(at=NOW))
    decision.then(TicketClosed(resolved=solved))
    assert decision.aggregate.solved is solved
