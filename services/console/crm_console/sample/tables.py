"""The sample's tickets and orders, as the rows that an import of files sends."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import orjson

from crm_console.sample import cast
from crm_console.sample.plot import Plot, Size, when

Ids = Mapping[str, str]
"""Ids of staff and products by name."""
_SHOPS: Final = ("web", "shop")


def ticket_rows(plot: Plot, size: Size, ids: Ids) -> list[dict[str, Any]]:
    """A row for each ticket; most of those resolved are rated."""
    return _numbered(_ticket(number, plot, size, ids) for number in range(size.tickets))


def _ticket(number: int, plot: Plot, size: Size, ids: Ids) -> dict[str, Any]:
    opened, agent = plot.moment(), plot.one_of(cast.AGENTS)
    row = {
        "key": f"ticket-{number}",
        "customer_key": f"customer-{plot.number(1, size.customers)}",
        "agent_id": ids[agent],
        "category": plot.one_of(cast.CATEGORIES),
        "channel": plot.one_of(cast.CHANNELS),
        "opened_at": when(opened),
        "resolved": False,
    }
    resolved = plot.later(opened, 4)
    if resolved is None:
        return row
    rating = plot.score(agent) if plot.chance(0.7) else None
    return row | {"resolved": True, "closed_at": when(resolved), "rating": rating}


def order_rows(plot: Plot, size: Size, ids: Ids) -> list[dict[str, Any]]:
    """A row for each order of each customer."""
    return _numbered(row for number in range(size.customers) for row in _orders(number, plot, ids))


def _orders(number: int, plot: Plot, ids: Ids) -> Iterator[dict[str, Any]]:
    ordered: datetime | None = plot.moment()
    region, segment = plot.one_of(cast.REGIONS), plot.one_of(cast.SEGMENTS)
    count = 0
    while ordered is not None:
        count += 1
        product, _, price = plot.one_of(cast.PRODUCTS)
        yield {
            "key": f"order-{number}-{count}",
            "customer_key": f"customer-{number}",
            "ordered_at": when(ordered),
            "amount": plot.price(price // 10)["amount"],
            "currency": plot.currency,
            "product_id": ids[product],
            "source": plot.one_of(_SHOPS),
            "region": region,
            "segment": segment,
        }
        ordered = plot.later(ordered, 90) if plot.chance(0.72) else None


def _numbered(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [_sent(line, row) for line, row in enumerate(rows, start=1)]


def _sent(line: int, row: dict[str, Any]) -> dict[str, Any]:
    key = row.pop("key")
    row_hash = hashlib.sha256(orjson.dumps(row, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return {"line": line, "key": key, "row_hash": row_hash, "values": row}
