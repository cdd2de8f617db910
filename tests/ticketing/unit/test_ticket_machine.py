"""No sequence of commands breaks a ticket, and its events alone bring it back as it was."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from crm_events.contracts.ticketing import SurveySent, TicketResolved
from crm_events.domain import Change, DomainError
from crm_events.event import Staff
from crm_ticketing.domain.concern import Concern
from crm_ticketing.domain.ticket import Ticket
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.support.decisions import ID, NOW
from tests.ticketing.telling import CUSTOMER, FORTNIGHT, MEI, TOM

cycles = st.integers(0, 4)
customers = st.sampled_from([None, CUSTOMER])


def survey(cycle: int) -> UUID:
    return UUID(int=100 + cycle)


class TicketMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.ticket = Ticket(ID)
        self.saved: list[Change] = []
        self.now: datetime = NOW

    def attempt(self, decide: Callable[[], Any]) -> bool:
        """Whether the command was accepted; a refusal leaves no trace."""
        before = self.state()
        try:
            decide()
        except DomainError:
            assert self.state() == before
            assert not self.ticket.pending
            return False
        self.saved.extend(self.ticket.collect_events())
        return True

    def state(self) -> dict[str, object]:
        return {name: repr(value) for name, value in vars(self.ticket).items()}

    @initialize(customer=customers)
    def open(self, customer: UUID | None) -> None:
        assert self.attempt(lambda: self.ticket.open(Concern("a", "b", "low", customer), at=NOW))

    @rule(days=st.integers(0, 10))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)

    @rule(agent=st.sampled_from([MEI, TOM]))
    def assign(self, agent: Staff) -> None:
        if self.attempt(lambda: self.ticket.assign(agent, at=self.now)):
            assert self.ticket.agent == agent

    @rule()
    def reply(self) -> None:
        before = self.ticket.status
        self.attempt(lambda: self.ticket.reply("x", at=self.now))
        assert self.ticket.status == before

    @rule()
    def hold(self) -> None:
        self.attempt(lambda: self.ticket.hold("x", at=self.now))

    @rule()
    def resume(self) -> None:
        self.attempt(lambda: self.ticket.resume(at=self.now))

    @rule()
    def resolve(self) -> None:
        cycle, agent = self.ticket.cycle, self.ticket.agent
        if self.attempt(lambda: self.ticket.resolve(at=self.now)):
            assert self.ticket.cycle == cycle + 1
            assert self.ticket.resolvers[cycle + 1] == agent

    @rule(cycle=cycles)
    def send_survey(self, cycle: int) -> None:
        self.attempt(
            lambda: self.ticket.send_survey(survey(cycle), cycle, due_at=None, at=self.now)
        )

    @rule(cycle=cycles, score=st.integers(0, 6))
    def score(self, cycle: int, score: int) -> None:
        before = self.ticket.surveys.get(survey(cycle))
        if self.attempt(
            lambda: self.ticket.score_survey(
                survey(cycle), score, locks_after=FORTNIGHT, at=self.now
            )
        ):
            after = self.ticket.surveys[survey(cycle)]
            assert before is not None
            assert before.state != "timed-out"
            assert 1 <= score <= 5
            assert after.score == score
            assert before.locks_at is None or self.now < before.locks_at == after.locks_at

    @rule(cycle=cycles)
    def time_out(self, cycle: int) -> None:
        before = self.ticket.surveys.get(survey(cycle))
        if self.attempt(lambda: self.ticket.time_out_survey(survey(cycle), at=self.now)):
            assert before is not None
            assert before.state == "pending"

    @rule()
    def close(self) -> None:
        found = self.ticket.survey_of(self.ticket.cycle)
        asked = self.ticket.concern.customer_id is not None
        if self.attempt(lambda: self.ticket.close(at=self.now)):
            assert found is None or found[1].state != "pending"
            assert found is not None or not asked

    @rule()
    def close_as_recorded(self) -> None:
        before = self.ticket.status
        if self.attempt(lambda: self.ticket.close_as_recorded(at=self.now)):
            assert self.ticket.solved is (before == "resolved")

    @rule()
    def reopen(self) -> None:
        before = self.ticket.status
        if self.attempt(lambda: self.ticket.reopen(at=self.now)):
            assert before in {"resolved", "closed"}
            assert self.ticket.status == "open"

    @rule(customer=customers)
    def amend(self, customer: UUID | None) -> None:
        assert self.attempt(
            lambda: self.ticket.amend(Concern("c", "d", "high", customer), at=self.now)
        )

    @invariant()
    def cycles_count_resolutions(self) -> None:
        told = [e.body.cycle for e in self.saved if isinstance(e.body, TicketResolved)]
        assert told == list(range(1, self.ticket.cycle + 1))

    @invariant()
    def each_cycle_is_surveyed_at_most_once(self) -> None:
        told = Counter(e.body.cycle for e in self.saved if isinstance(e.body, SurveySent))
        assert all(times == 1 for times in told.values())

    @invariant()
    def comes_back_from_its_events(self) -> None:
        assert vars(Ticket.from_history(ID, self.saved)) == vars(self.ticket)


TicketMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestTicketMachine = TicketMachine.TestCase
