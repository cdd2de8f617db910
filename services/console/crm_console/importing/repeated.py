"""Rows under one key of a file: what a context remembers of them is that all of them are in."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from crm_console.importing.result import ImportRow


class Groups:
    """The keys that stand in several rows of a file, from a pass over all of it.

    The last row of a group carries the hash of the whole group, which is what is remembered under
    the key; the others name it as `settled`. So the same file again is known at its first row,
    and a file with another row in the group, or without one, is not.
    """

    def __init__(self, rows: Iterable[ImportRow], repeated: frozenset[int]) -> None:
        self._sizes: Counter[str] = Counter()
        self._hashes: dict[str, bytes] = {}
        for row in rows:
            if hash(row.key) in repeated:
                self._sizes[row.key] += 1
                before = self._hashes.get(row.key, b"")
                self._hashes[row.key] = hashlib.sha256(before + row.row_hash.encode()).digest()

    def of_a_pass(self) -> GroupsOfAPass:
        """Marks the rows of one pass, from the first on."""
        return GroupsOfAPass(self._sizes, self._hashes)


class GroupsOfAPass:
    """Counts the rows of each group, to know the last one."""

    def __init__(self, sizes: Counter[str], hashes: dict[str, bytes]) -> None:
        self._sizes = sizes
        self._hashes = hashes
        self._seen: Counter[str] = Counter()

    def marked(self, row: ImportRow) -> ImportRow:
        """The row as a member of its group; one that stands alone stays as it is."""
        size = self._sizes.get(row.key, 1)
        if size == 1:
            return row
        self._seen[row.key] += 1
        group = self._hashes[row.key].hex()
        if self._seen[row.key] == size:
            return replace(row, row_hash=group)
        return replace(row, settled=group)
