"""The order of day and month in a column, proven by its own dates or refused."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from crm_console.importing.errors import FileRefused
from crm_console.importing.values.calendar import Order, possible_days

Orders = frozenset[Order]


@lru_cache(maxsize=1 << 14)
def possible_orders(text: str) -> Orders | None:
    """The orders that differ for this date: one proves the column's, more leave it open.

    None where no order matters, as in `2021-03-04` or `04/04/2021`.
    """
    days = possible_days(text)
    if not days or (len(days) > 1 and len(set(days.values())) == 1):
        return None
    return frozenset(days)


def date_order(column: str, examples: Mapping[Orders, tuple[int, str]]) -> Order | None:
    """The one order that all dates of the column allow; None when each allows only one.

    `examples` holds the line and text of one date for each set of orders that occurs.
    """
    if all(len(orders) == 1 for orders in examples):
        return None
    common = frozenset(Order).intersection(*examples)
    if len(common) == 1:
        return next(iter(common))
    raise FileRefused(_problem(column, examples), _remedy(common or frozenset().union(*examples)))


def _problem(column: str, examples: Mapping[Orders, tuple[int, str]]) -> str:
    shown = "; ".join(
        f"{text!r} on line {line} is {' or '.join(_words(text, orders))}"
        for orders, (line, text) in examples.items()
    )
    return f"The dates of column {column} can be read two ways: {shown}."


def _words(text: str, orders: Orders) -> list[str]:
    days = possible_days(text)
    return sorted({f"{days[order]:%d %B %Y}".lstrip("0") for order in orders})


def _remedy(orders: Orders) -> str:
    formats = [f"--date-format {order}" for order in Order if order in orders]
    return f"Say {' or '.join(formats)}."
