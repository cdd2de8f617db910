"""What a first pass over a file gathers of a column: one example of each way its cells read."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Way = TypeVar("Way", bound=Hashable)


class Evidence(Generic[Way]):
    """`examples` maps each way of reading met to the line and text of its first cell."""

    def __init__(self, classify: Callable[[str], Way | None]) -> None:
        self._classify = classify
        self.examples: dict[Way, tuple[int, str]] = {}

    def observe(self, line: int, text: str) -> None:
        """Costs one cached look-up once every way has been met."""
        way = self._classify(text)
        if way is not None and way not in self.examples:
            self.examples[way] = (line, text)
