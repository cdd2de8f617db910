"""Money as views keep it: whole ten-thousandths of a currency unit, so that sums are exact."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from crm_events.event import Money

_WHOLE: Final = 10_000
_UNIT: Final = Decimal(_WHOLE)


def units(money: Money | None) -> int | None:
    """An amount in ten-thousandths; None where there is none."""
    return None if money is None else int(money.amount * _UNIT)


def amount_text(units_: int | None) -> str | None:
    """A decimal string without needless zeros: `10005534`, `31.25`."""
    if units_ is None:
        return None
    whole, rest = divmod(int(units_), _WHOLE)
    if not rest:
        return str(whole)
    return format((Decimal(int(units_)) / _UNIT).normalize(), "f")


def money(units_: int | None, currency: str) -> dict[str, str] | None:
    """The JSON form of an amount, or None where it is absent."""
    text = amount_text(units_)
    return None if text is None else {"amount": text, "currency": currency}


def mean_money(units_: int, count: int, currency: str) -> dict[str, str] | None:
    """The mean of amounts that have one, to the sixth decimal; None of nothing."""
    if count == 0:
        return None
    value = (Decimal(int(units_)) / _UNIT / count).quantize(Decimal("0.000001")).normalize()
    return {"amount": format(value, "f"), "currency": currency}
