"""Who gives commands: each under a key of its own, sent again until an answer is heard."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from uuid import NAMESPACE_URL, UUID, uuid5

from crm_events.application import NotFound, Outcome, Saving
from crm_events.contracts.contacts import LeadTagged
from crm_events.contracts.pipeline import OrderPlaced
from crm_events.domain import DomainError
from crm_events.store.mapper import Cause
from crm_events.store.port import StoreUnavailable

from tests.faults.evidence import Operation
from tests.faults.sim.loop import Part, VirtualLoop
from tests.faults.sim.shop import TOO_DEAR, Account, Orders, account, buyer


@dataclass(frozen=True, slots=True)
class Wish:
    """One order by each of these accounts, in one command."""

    accounts: Sequence[int]
    amount: int
    at: datetime

    @property
    def effects(self) -> dict[str, int]:
        count = len(self.accounts)
        tags = 0 if self.amount >= TOO_DEAR else 2 * count
        return {OrderPlaced.TYPE: count, LeadTagged.TYPE: tags}


class Customers:
    """`operations` are their journal."""

    def __init__(self, app: Orders, loop: VirtualLoop) -> None:
        self.operations: dict[str, Operation] = {}
        self._wishes: list[Wish] = []
        self._app = app
        self._loop = loop
        self._parts: list[Part] = []

    def order(self, wish: Wish) -> None:
        """Send a new command; its answer is heard later, if ever."""
        self._wishes.append(wish)
        self.send(len(self._wishes) - 1)

    def send(self, number: int) -> None:
        """Send a command again, or for the first time."""
        if number >= len(self._wishes):
            return
        part = Part(f"client-{number}")
        self._parts.append(part)
        self._loop.begin(part, self._send(number))

    def hang_up(self) -> None:
        """All servers of commands die: whoever waited for an answer will not get it."""
        for part in self._parts:
            self._loop.kill(part)
        self._parts = []

    def unknown(self) -> list[int]:
        """The commands that nobody has heard of."""
        outcomes = [operation.outcome for operation in self.operations.values()]
        return [number for number, outcome in enumerate(outcomes) if outcome == "unknown"]

    async def _send(self, number: int) -> None:
        wish, id = self._wishes[number], str(_command(number))
        began = self._loop.time()
        known = self.operations.setdefault(
            id,
            Operation(
                id,
                "order",
                command=id,
                began=began,
                writes=len(wish.accounts),
                effects=wish.effects,
                context="pipeline",
            ),
        )
        if known.outcome == "ok":
            known = replace(known, outcome="ok")
        with suppress(StoreUnavailable):
            self.operations[id] = await self._heard(number, wish, replace(known, began=began))

    async def _heard(self, number: int, wish: Wish, operation: Operation) -> Operation:
        """What was loaded may be old when it is saved: that is a lost race, which is refused."""
        try:
            accounts = await self._loop.step(lambda: self._load(wish))
            answer: Outcome = await self._loop.step(lambda: self._save(number, wish, accounts))
        except DomainError:
            return replace(operation, outcome="refused", ended=self._loop.time())
        return replace(
            operation,
            outcome="ok",
            ended=self._loop.time(),
            sequence=answer.position.sequence,
            aggregate=str(answer.id),
            version=answer.version,
            repeated=answer.repeated,
        )

    def _load(self, wish: Wish) -> list[Account]:
        found = []
        for number in wish.accounts:
            try:
                found.append(self._app.load(Account, account(number)))
            except NotFound:
                found.append(Account(account(number)))
        return found

    def _save(self, number: int, wish: Wish, accounts: Sequence[Account]) -> Outcome:
        id = _command(number)
        fingerprint = sha256(repr(wish).encode()).digest()
        cause = Cause(id, id, None, "local:customer", "live", wish.at, fingerprint)

        def decide() -> Saving:
            for each in accounts:
                each.order(wish.amount, buyer(wish.amount % 4), at=wish.at)
            return Saving(tuple(accounts))

        return self._app.execute(cause, decide)


def _command(number: int) -> UUID:
    return uuid5(NAMESPACE_URL, f"sim/command/{number}")
