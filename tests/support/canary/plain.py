"""The texts that rest in plain on purpose, by the places they are said at, and why.

A place is a command or an import, a blank, and the field. Whoever adds one gives the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Final

PLAIN: Final[Mapping[str, str]] = {
    "*/organisations* *": "what is known of a company",
    "*/names:resolve organisation names": "what is known of a company",
    "import organisations *": "what is known of a company",
    "*/products* *": "what the business sells",
    "*/names:resolve product names": "what the business sells",
    "import products *": "what the business sells",
    "*/pipelines* *": "how the business sells",
    "/v1/campaigns/campaigns name": "what the business plans",
    "*/deals/{id}:lose reason": "a category that reports group losses by",
    "import deals lost_reason": "a category that reports group losses by",
    "*/erasures/{id}:erase reference": "a case number, in which no name fits",
    "* channel": "a key that figures are grouped by",
    "* channels": "a key that figures are grouped by",
    "* category": "a key that figures are grouped by",
    "* source": "a key that figures are grouped by",
    "* region": "figures are grouped by it",
    "* sector": "figures are grouped by it",
    "* segment": "figures are grouped by it",
    "* team": "figures are grouped by it",
    "* tag": "a key that leads are filed under",
    "* tags": "a key that leads are filed under",
    "* purpose": "a key of what consent is for",
    "* method": "a key of how is paid",
}
FORGOTTEN: Final[Mapping[str, str]] = {
    "* customer_key": "an id is derived from it",
    "*/names:resolve campaign names": "they are looked up and never made",
}
"""Texts that leave no trace that could be read."""
SHOWN: Final[Mapping[str, str]] = {
    "/v1/contacts/staff* name": "the view of names shows it",
    "/v1/contacts/people* name": "the view of names shows it",
    "/v1/contacts/leads name": "whoever a lead becomes is shown",
    "*/names:resolve staff names": "the view of names shows it",
    "*/names:resolve person names": "the view of names shows it",
    "import staff name": "the view of names shows it",
}
"""Sealed in every store; in plain in the view that shows names, until the subject is erased."""


def listed(place: str, patterns: Mapping[str, str]) -> bool:
    return any(fnmatchcase(place, pattern) for pattern in patterns)
