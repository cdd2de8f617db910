"""Who gets a new ticket: rules in versions, first match wins, agents by the ticket's id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from crm_events.contracts.ticketing import AssignmentRule, AssignmentRulesDefined
from crm_events.domain import Aggregate, DomainError, applies


class AgentTwice(DomainError):
    slug: ClassVar[str] = "agent-twice"

    def __init__(self, agent: UUID) -> None:
        super().__init__(f"Agent {agent} is named twice in one rule; name each agent once.")


@dataclass(frozen=True, slots=True)
class Choice:
    """The agent chosen for a ticket, and the version of the rules that chose."""

    agent: UUID
    rules_version: int


class AssignmentRules(Aggregate):
    """The rules of the whole desk; there is one such aggregate in a deployment."""

    def __init__(self, id: UUID) -> None:
        super().__init__(id)
        self.rules_version = 0
        self.rules: tuple[AssignmentRule, ...] = ()

    def define(self, rules: Sequence[AssignmentRule], *, at: datetime) -> None:
        """The rules from now on; nothing happens when they are the same. Raises AgentTwice."""
        for rule in rules:
            _refuse_repeats(rule.agents)
        if tuple(rules) == self.rules:
            return
        version = self.rules_version + 1
        self.record(AssignmentRulesDefined(rules_version=version, rules=tuple(rules)), at=at)

    def choose(self, ticket_id: UUID, category: str, channel: str) -> Choice | None:
        """The agent whose turn it is, or None where no rule fits.

        The turn is the ticket's id modulo the number of agents: even over many tickets, the same
        on every replica and at every redelivery, and no counter for tickets to queue at.
        """
        for rule in self.rules:
            if rule.category in (None, category) and rule.channel in (None, channel):
                return Choice(rule.agents[ticket_id.int % len(rule.agents)], self.rules_version)
        return None

    @applies(AssignmentRulesDefined)
    def _defined(self, event: AssignmentRulesDefined) -> None:
        self.rules_version, self.rules = event.rules_version, event.rules


def _refuse_repeats(agents: Sequence[UUID]) -> None:
    for place, agent in enumerate(agents):
        if agent in agents[:place]:
            raise AgentTwice(agent)
