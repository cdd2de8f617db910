"""Changes of a sealed log by somebody who can write its database, one at a time, out of a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from crm_events.audit.entry import COLUMNS

Run = Callable[..., Sequence[Sequence[Any]]]
"""A statement with `?` and its parameters; answers rows, where there are any."""
NAMES = COLUMNS.split(", ")


class Tamper(NamedTuple):
    """What was done, and the first position at which it shows."""

    what: str
    first: int


@dataclass(frozen=True, slots=True)
class Vandal:
    """`positions` are those of the log; `holes` lie between them, and no event has them."""

    run: Run
    positions: Sequence[int]
    holes: Sequence[int]
    chance: random.Random

    def tamper(self) -> Tamper:
        ways = (self.flip, self.flip, self.delete, self.insert, self.swap, self.cut)
        return self.chance.choice(ways)()

    def _row(self, position: int) -> dict[str, Any]:
        found = self.run(f"SELECT {COLUMNS} FROM events WHERE position = ?", position)
        return dict(zip(NAMES, found[0], strict=True))

    def flip(self) -> Tamper:
        position, name = self.chance.choice(self.positions), self.chance.choice(NAMES)
        value = self._row(position)[name]
        changed = self._something_for(name) if value is None else self.flipped(value)
        if name == "position":
            changed = self.chance.choice(self.holes)
        self.run(f"UPDATE events SET {name} = ? WHERE position = ?", changed, position)
        first = min(position, changed) if name == "position" else position
        return Tamper(f"flip of {name} at {position}", first)

    def flipped(self, value: Any) -> Any:
        """Another value of the same kind, as near as can be."""
        bit = 1 << self.chance.randrange(3)
        if isinstance(value, int):
            return value ^ bit
        if isinstance(value, datetime):
            return value + timedelta(microseconds=bit)
        if isinstance(value, UUID):
            return UUID(bytes=self.flipped(value.bytes))
        if isinstance(value, bytes):
            at = self.chance.randrange(len(value))
            return value[:at] + bytes([value[at] ^ bit]) + value[at + 1 :]
        if isinstance(value, str):
            at = self.chance.randrange(len(value))
            return value[:at] + chr(ord(value[at]) ^ bit) + value[at + 1 :]
        raise TypeError(f"{value!r} is of no kind that a column holds")

    def _something_for(self, name: str) -> Any:
        """In place of a value that is not there: that of another row, of the same kind."""
        row = self._row(self.chance.choice(self.positions))
        return row["actor" if name == "traceparent" else "event_id"]

    def delete(self) -> Tamper:
        position = self.chance.choice(self.positions)
        self.run("DELETE FROM events WHERE position = ?", position)
        return Tamper(f"delete of {position}", position)

    def insert(self) -> Tamper:
        hole = self.chance.choice(self.holes)
        row = self._row(self.chance.choice(self.positions))
        self._put({**row, "position": hole, "version": 1_000})
        return Tamper(f"insert at {hole}", hole)

    def _put(self, row: Mapping[str, Any]) -> None:
        places = ", ".join("?" * len(NAMES))
        self.run(f"INSERT INTO events ({COLUMNS}) VALUES ({places})", *row.values())

    def swap(self) -> Tamper:
        one, other = self.chance.sample(self.positions, 2)
        for old, new in ((one, -1), (other, one), (-1, other)):
            self.run("UPDATE events SET position = ? WHERE position = ?", new, old)
        return Tamper(f"swap of {one} and {other}", min(one, other))

    def cut(self) -> Tamper:
        first = self.chance.choice(self.positions)
        self.run("DELETE FROM events WHERE position >= ?", first)
        return Tamper(f"cut of the tail from {first}", first)


@dataclass(frozen=True, slots=True)
class Forger:
    """Changes of the sealed rows themselves."""

    run: Run
    chance: random.Random

    def forge(self) -> str:
        table, names = self.chance.choice(
            [
                ("audit_head", ["size", "position", "checkpoints", "peaks"]),
                ("audit_tiles", ["number", "positions", "hashes", "root"]),
                ("audit_checkpoints", ["number", "size", "position", "note"]),
            ]
        )
        row = self.chance.choice(self.run(f"SELECT * FROM {table}"))
        if self.chance.random() < 0.2:
            self.run(f"DELETE FROM {table} WHERE {_key(table)} = ?", row[0])
            return f"delete from {table} of {row[0]}"
        return self._flip(table, self.chance.choice(names), row[0])

    def _flip(self, table: str, name: str, key: int) -> str:
        where = f"WHERE {_key(table)} = ?"
        value = self.run(f"SELECT {name} FROM {table} {where}", key)[0][0]
        vandal = Vandal(self.run, (), (), self.chance)
        changed = bytes(32) if value is None else vandal.flipped(value)
        if name in ("number", "size", "position"):
            changed = value + 1_000 + self.chance.randrange(9)
        self.run(f"UPDATE {table} SET {name} = ? {where}", changed, key)
        return f"flip of {name} in {table} {key}"


def _key(table: str) -> str:
    return "id" if table == "audit_head" else "number"
