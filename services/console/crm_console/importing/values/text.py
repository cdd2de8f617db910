"""Text in one normal form, so that the same name is the same bytes whoever exported it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from crm_events.names import folded

from crm_console.importing.errors import BadValue
from crm_console.importing.values.reading import NOTHING, Reader, Reading

_TAG_SEPARATORS: Final = re.compile(r"[,;|，；、]")
_SCIENTIFIC: Final = re.compile(r"[0-9](?:[.,][0-9]+)?E\+?[0-9]+", re.IGNORECASE)


def one_line(text: str) -> str:
    """NFC, with every run of blanks and line breaks as one space."""
    joined = " ".join(text.split())
    return joined if joined.isascii() else unicodedata.normalize("NFC", joined)


def line_reader(longest: int) -> Reader:
    """Reads one line of at most so many characters."""

    def read(text: str) -> Reading:
        return Reading(_bounded(one_line(text), longest)) if text else NOTHING

    return read


def prose_reader(longest: int) -> Reader:
    """Reads text of several lines, whose breaks all become `\\n`."""

    def read(text: str) -> Reading:
        lines = unicodedata.normalize("NFC", "\n".join(text.splitlines()))
        return Reading(_bounded(lines, longest)) if lines else NOTHING

    return read


def code_reader(longest: int) -> Reader:
    """Reads a key or a telephone number, which a spreadsheet may have rounded to `1.38E+10`."""

    def read(text: str) -> Reading:
        if _SCIENTIFIC.fullmatch(text):
            raise BadValue(
                "was cut short by a spreadsheet", "Export the column as text and import again."
            )
        return Reading(_bounded(one_line(text), longest)) if text else NOTHING

    return read


def tags_reader(longest: int) -> Reader:
    """Reads a list separated by commas, semicolons, bars or their Chinese forms; may be empty."""

    def read(text: str) -> Reading:
        parts = (one_line(part) for part in _TAG_SEPARATORS.split(text))
        tags = [_bounded(part, longest) for part in parts if part]
        return Reading(list(dict.fromkeys(tags)))

    return read


def stage_reader(stages: Sequence[str]) -> Reader:
    """Reads one of the stages, ignoring case, width and spaces."""
    known = {folded(stage): stage for stage in stages}

    def read(text: str) -> Reading:
        stage = known.get(folded(text))
        if text and stage is None:
            raise BadValue(
                "is none of the stages",
                f"Add it to --stages, --won or --lost; they are {', '.join(stages)}.",
            )
        return Reading(stage)

    return read


def _bounded(text: str, longest: int) -> str:
    if len(text) > longest:
        raise BadValue(f"has {len(text):,} characters; at most {longest:,} fit")
    return text
