"""The figures of two answers to one question side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

_LABELS: Final = ("date", "stage", "key")
_WORDS: Final = frozenset((*_LABELS, "rank", "name", "note", "rows", "阶段", "备注"))
_TABLE: Final = frozenset(("客户数量", "转化率", "失败率"))
"""The same figures once more, for the five-column table."""
Json = Mapping[str, Any]
Place = tuple[tuple[str, Any], ...]


def side_by_side(live: Json, what_if: Json) -> list[dict[str, Any]]:
    """Every figure of either answer: of the whole, of its rows and of its groups, with the
    difference (what_if - live) where both are numbers or sums of money."""
    mine, other = dict(_figures(live, ())), dict(_figures(what_if, ()))
    places = dict.fromkeys([*mine, *other])
    return [_compared(place, mine.get(place), other.get(place)) for place in places]


def _compared(place: Place, live: Any, what_if: Any) -> dict[str, Any]:
    difference = _difference(live, what_if)
    return {**dict(place), "live": live, "what_if": what_if, "difference": difference}


def _figures(answer: Json, group: Place) -> Iterator[tuple[Place, Any]]:
    """Figures by their place: figure, and of which group, row and score."""
    yield from _named(answer["totals"], group)
    for score, count in (answer.get("distribution") or {}).items():
        yield (("figure", "answers"), *group, ("row", score)), count
    for each in answer.get("groups") or ():
        yield from _figures(each, (("group", each.get("name") or each["key"]),))
    yield from _of_rows(answer["rows"], group)


def _of_rows(rows: Sequence[Json], group: Place) -> Iterator[tuple[Place, Any]]:
    """Rows with a key are groups once more."""
    for row in rows:
        if "key" not in row:
            label = next(row[name] for name in _LABELS if name in row)
            yield from _named(row, (*group, ("row", label)))


def _named(figures: Json, where: Place) -> Iterator[tuple[Place, Any]]:
    for name, value in figures.items():
        if name not in _WORDS and name not in _TABLE:
            yield (("figure", name), *where), value


def _difference(live: Any, what_if: Any) -> Any:
    if isinstance(live, int | float) and isinstance(what_if, int | float):
        return what_if - live
    if isinstance(live, dict) and isinstance(what_if, dict):
        amount = Decimal(what_if["amount"]) - Decimal(live["amount"])
        return {"amount": f"{amount.normalize():f}", "currency": live["currency"]}
    return None
