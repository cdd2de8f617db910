"""The seeded chance behind the sample: the same seed tells the same story, up to today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final, TypeVar

from crm_console.sample import cast

T = TypeVar("T")
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Size:
    """How much happens. `days` is how long ago the story begins."""

    days: int = 270
    leads: int = 120
    responses: int = 60
    deals: int = 160
    tickets: int = 400
    customers: int = 150

    @property
    def steps(self) -> int:
        """What the progress counts to."""
        return self.leads + self.responses + self.deals + self.tickets + self.customers


class Plot:
    """Draws times, names and amounts. Times lie in the `days` before `today`."""

    def __init__(self, seed: int, today: datetime, days: int, currency: str) -> None:
        self.currency = currency
        self.seed = seed
        self._random = Random(seed)  # noqa: S311 - chance for a story, not for secrets
        self.today = today.astimezone(UTC).replace(microsecond=0)
        self.begin = self.today - days * _DAY
        self._days = days

    def chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def one_of(self, values: tuple[T, ...]) -> T:
        return self._random.choice(values)

    def number(self, low: int, high: int) -> int:
        return self._random.randint(low, high)

    def moment(self) -> datetime:
        """Some time of the story, a little likelier late than early."""
        share = self._random.random() ** 0.8
        return self.begin + timedelta(seconds=int(share * self._days * 86_400))

    def later(self, moment: datetime, most_days: int) -> datetime | None:
        """Some days after a moment, or None when that is still to come."""
        days = self._random.triangular(0.2, most_days, most_days / 3)
        found = moment + timedelta(seconds=int(days * 86_400))
        return found if found < self.today else None

    def person(self) -> dict[str, str]:
        name = f"{self.one_of(cast.GIVEN_NAMES)} {self.one_of(cast.FAMILY_NAMES)}"
        number = self.number(10_000, 99_999)
        return {"name": name, "email": f"p{number}@example.com", "phone": f"+49 30 {number}"}

    def price(self, list_price: int) -> dict[str, str]:
        amount = list_price * self.number(80, 130) // 100
        return {"amount": str(amount), "currency": self.currency}

    def score(self, agent: str) -> int:
        """1 to 5; agents differ a little, as people do."""
        generous = cast.AGENTS.index(agent) - 1
        return min(5, max(1, round(self._random.gauss(3.7 + 0.3 * generous, 1.0))))


def when(moment: datetime) -> str:
    return moment.isoformat()


def dated(moment: datetime, **body: Any) -> dict[str, Any]:
    """A command's body that took effect at a moment."""
    return {**body, "occurred_at": when(moment)}
