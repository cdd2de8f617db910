"""The two ways a file can be wrong: as a whole, before anything goes in, or in one value."""

from __future__ import annotations


class FileRefused(Exception):
    """The file cannot be imported as asked; nothing has been. `remedy` says what to change."""

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(f"{problem} {remedy}".strip())
        self.problem = problem
        self.remedy = remedy


class BadValue(ValueError):
    """One value cannot be read; its row is refused and the others go on."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy
