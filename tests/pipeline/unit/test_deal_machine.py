"""No sequence of commands breaks a deal, and its events alone bring it back as it was."""

from decimal import Decimal

from crm_events.domain import Change, DomainError
from crm_events.event import Money
from crm_pipeline.domain.deal import Deal
from crm_pipeline.domain.deal_facts import DealFacts
from crm_pipeline.domain.pipeline import Pipeline, StageDraft, Terminals
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.pipeline.telling import MEI, STAGES, TOM, sales
from tests.support.decisions import ID, NOW

keys = st.sampled_from([stage.key for stage in STAGES])
drafts = st.permutations([StageDraft(s.key, s.name, s.probability) for s in STAGES])
amounts = st.none() | st.integers(-5, 1_000).map(
    lambda cents: Money(amount=Decimal(cents), currency="EUR")
)
CLOSED = {"won", "lost"}


class DealMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.deal = Deal(ID)
        self.pipeline: Pipeline = sales()
        self.saved: list[Change] = []

    def attempt(self, decide: object) -> bool:
        """Whether the command was accepted; a refusal leaves no trace."""
        before = self.state()
        try:
            decide()  # type: ignore[operator]
        except DomainError:
            assert self.state() == before
            assert not self.deal.pending
            return False
        self.saved.extend(self.deal.collect_events())
        return True

    def state(self) -> dict[str, object]:
        return {name: value for name, value in vars(self.deal).items() if name != "_pending"}

    @initialize(key=keys, amount=amounts)
    def open(self, key: str, amount: Money | None) -> None:
        stage, facts = self.pipeline.stage(key), DealFacts(amount=amount)
        if not self.attempt(lambda: self.deal.open(self.pipeline, stage, facts, MEI, at=NOW)):
            assert amount is not None
            assert amount.amount < 0
            self.attempt(lambda: self.deal.open(self.pipeline, stage, DealFacts(), MEI, at=NOW))

    @rule(order=drafts)
    def change_stages(self, order: list[StageDraft]) -> None:
        self.pipeline.change_stages(order, Terminals(), at=NOW)

    @rule(key=keys)
    def advance(self, key: str) -> None:
        before, status = self.deal.stage, self.deal.status
        if self.attempt(lambda: self.deal.advance(self.pipeline, key, at=NOW)):
            assert status == "open"
            assert before is not None
            assert self.deal.stage is not None
            today = self.pipeline.stage(before.key)
            assert self.deal.stage.rank > today.rank

    @rule(key=keys)
    def move_back(self, key: str) -> None:
        before, status = self.deal.stage, self.deal.status
        if self.attempt(lambda: self.deal.move_back(self.pipeline, key, at=NOW)):
            assert status == "open"
            assert before is not None
            assert self.deal.stage is not None
            assert self.deal.stage.rank < self.pipeline.stage(before.key).rank

    @rule(amount=amounts)
    def win(self, amount: Money | None) -> None:
        status = self.deal.status
        if self.attempt(lambda: self.deal.win(amount, at=NOW)):
            assert (status, self.deal.status) == ("open", "won")
            assert amount is None or self.deal.facts.amount == amount

    @rule()
    def lose(self) -> None:
        status = self.deal.status
        if self.attempt(lambda: self.deal.lose("price", at=NOW)):
            assert (status, self.deal.status) == ("open", "lost")

    @rule(key=st.none() | keys)
    def reopen(self, key: str | None) -> None:
        status = self.deal.status
        if self.attempt(lambda: self.deal.reopen(self.pipeline, key, at=NOW)):
            assert status in CLOSED
            assert self.deal.status == "open"

    @rule(owner=st.sampled_from([MEI, TOM]))
    def assign(self, owner: object) -> None:
        assert self.attempt(lambda: self.deal.assign(owner, at=NOW))  # type: ignore[arg-type]
        assert self.deal.owner == owner

    @rule(amount=amounts)
    def amend(self, amount: Money | None) -> None:
        self.attempt(lambda: self.deal.amend(DealFacts("x", amount=amount), at=NOW))

    @invariant()
    def stands_somewhere(self) -> None:
        assert self.deal.stage is not None
        assert self.deal.status in {"open", *CLOSED}

    @invariant()
    def is_worth_something(self) -> None:
        assert self.deal.facts.amount is None or self.deal.facts.amount.amount >= 0

    @invariant()
    def comes_back_from_its_events(self) -> None:
        again = Deal.from_history(ID, self.saved)
        assert vars(again) == vars(self.deal)
        assert [change.originator_version for change in self.saved] == list(
            range(1, len(self.saved) + 1)
        )


DealMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestDealMachine = DealMachine.TestCase
