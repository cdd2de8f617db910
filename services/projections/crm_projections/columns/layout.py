"""Which columns of a table are kept in memory, and as what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol, TypeVar

from sqlalchemy import Boolean, Table, Text, Uuid

from crm_projections.engine.evidence import Evident

TablesT = TypeVar("TablesT")
NOTHING: Final = -(2**62)
"""Stands for an absent number; no amount, score or instant is it."""


@dataclass(frozen=True)
class Layout:
    """Numbers, things (ids that rows are grouped by) and words (all else) of one table of facts.

    The table has the columns of `facts.columns.believed`. A row is never changed but for its
    `known_to`, and never removed: what is kept of it stays right. `key` tells rows apart; without
    it the context and `known_from` do, where an event makes one row at most.
    """

    table: Table
    contexts: tuple[str, ...]
    names: tuple[str, ...]
    things: tuple[str, ...]
    key: str | None = "id"

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        kept = ("known_from", "known_to", "valid_from", *self.names)
        own = tuple(name for name in kept if not self._is_word(name))
        return own if self.key is None else (self.key, *own)

    @cached_property
    def words(self) -> tuple[str, ...]:
        return "context", *(name for name in self.names if self._is_word(name))

    def _is_word(self, name: str) -> bool:
        return isinstance(self.table.c[name].type, Text | Uuid)

    def is_id(self, name: str) -> bool:
        return isinstance(self.table.c[name].type, Uuid)

    def select(self, where: str) -> str:
        """Numbers, things, words, of the rows that meet a condition; for both databases."""
        numbers = [f"coalesce({self._whole(name)}, {NOTHING})" for name in self.numbers]
        columns = ", ".join([*numbers, *(f'"{name}"' for name in (*self.things, *self.words))])
        return f'SELECT {columns} FROM "{self.table.name}" WHERE {where}'

    def _whole(self, name: str) -> str:
        """A column as eight bytes; PostgreSQL takes a truth for a number in two steps."""
        truth = isinstance(self.table.c[name].type, Boolean)
        inner = f'CAST("{name}" AS INTEGER)' if truth else f'"{name}"'
        return f"CAST({inner} AS BIGINT)"


class Columnar(Evident[TablesT], Protocol[TablesT]):
    """A view that is answered over columns."""

    def layouts(self, tables: TablesT, /) -> Sequence[Layout]:
        """Of every table that its answers are counted over."""
