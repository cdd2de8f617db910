"""Ids as people give them."""

from __future__ import annotations

from uuid import UUID


class NoId(ValueError):
    """What was given is no id."""


def id_of(text: str) -> str:
    """In its usual form. Raises NoId."""
    try:
        return str(UUID(text))
    except ValueError:
        raise NoId(
            f"{text!r} is no id; ids are like 0190b8a4-3f6e-7c51-9d2e-5f0a6b1c2d3e."
        ) from None
