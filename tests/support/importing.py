"""Rows as a client of the bulk import sends them, and what is answered."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from tests.support.contexts import Running

Values = Mapping[str, Any]
Results = list[dict[str, Any]]


def rows(*values: Values, keys: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Keyed by `keys`, else by their number, from line 2 on; hashed by their values."""
    named = keys or [str(number) for number in range(len(values))]
    return [
        {"line": line, "key": key, "row_hash": _hash(row), "values": dict(row)}
        for line, (key, row) in enumerate(zip(named, values, strict=True), 2)
    ]


def _hash(row: Values) -> str:
    return hashlib.sha256(orjson.dumps(row, option=orjson.OPT_SORT_KEYS)).hexdigest()


async def imported(running: Running, kind: str, sent: Any, **more: Any) -> Results:
    """The results of one request, which is expected to be taken."""
    answer = await running.post(f"/imports/{kind}", {"source": "file", "rows": sent, **more})
    assert answer.status_code == 200, answer.text
    found: Results = answer.json()["results"]
    return found


def statuses(results: Results) -> list[str]:
    return [result["status"] for result in results]
