"""What every amount of money in this context keeps to."""

from __future__ import annotations

from typing import ClassVar

from crm_events.domain import DomainError
from crm_events.event import Money


class NegativeAmount(DomainError):
    """An amount below zero was given where only what is sold or paid can stand."""

    slug: ClassVar[str] = "negative-amount"

    def __init__(self, amount: Money) -> None:
        super().__init__(f"{amount.amount} {amount.currency} is below zero; give zero or more.")


class CurrencyMismatch(DomainError):
    """Amounts of two currencies met in one order; they are never added."""

    slug: ClassVar[str] = "currency-mismatch"

    def __init__(self, expected: str, given: str) -> None:
        super().__init__(f"The order is in {expected}, not {given}; give the amount in {expected}.")


def refuse_negative(amount: Money | None) -> None:
    """Raises NegativeAmount."""
    if amount is not None and amount.amount < 0:
        raise NegativeAmount(amount)


def refuse_other_currency(expected: Money, given: Money) -> None:
    """Raises CurrencyMismatch."""
    if expected.currency != given.currency:
        raise CurrencyMismatch(expected.currency, given.currency)
