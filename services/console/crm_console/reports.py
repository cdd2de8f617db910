"""Reports as they are kept: a citation and, in the very bytes that it is of, the report."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

from crm_console.transport import Connection

_TEXT: Final = re.compile(r"crm:([a-z_]+)@(\d+)\?([^#\s]+)#sha256:([0-9a-f]{64})")
_REPORT: Final = b',"report":'


class NoCitation(Exception):
    """What was given cites no report."""


@dataclass(frozen=True, slots=True)
class Citation:
    """A question and the digest of its answer. `asked` are the query's names and values."""

    view: str
    version: int
    asked: Sequence[tuple[str, str]]
    sha256: str

    @property
    def query(self) -> dict[str, Any]:
        """For a request; a name that occurs several times has a list."""
        found: dict[str, Any] = {}
        for name, value in self.asked:
            found.setdefault(name, []).append(value)
        return {name: v[0] if len(v) == 1 else v for name, v in found.items()}


@dataclass(frozen=True, slots=True)
class Report:
    """What the server answered; `body` is the report in the bytes that the digest is of."""

    head: Mapping[str, Any]
    body: bytes

    @property
    def text(self) -> str:
        return str(self.head["citation"]["text"])

    @property
    def content(self) -> Any:
        return json.loads(self.body)

    def lines(self) -> bytes:
        """As it is kept: the citation, then the report, a line each."""
        return json.dumps(self.head["citation"]).encode() + b"\n" + self.body + b"\n"


def run(transport: Connection, view: str, query: Mapping[str, Any]) -> Report:
    """Raises ServerSaid."""
    content = transport.fetch(f"/v1/views/{view}/report", query).content
    start = content.index(_REPORT)
    return Report(json.loads(content[:start] + b"}"), content[start + len(_REPORT) : -1])


def cited(given: str) -> Citation:
    """By a citation's text, or the file of a report. Raises NoCitation, and OSError."""
    found = _TEXT.fullmatch(given.strip())
    if found is None:
        found = _TEXT.fullmatch(_text_in(given))
    if found is None:
        raise NoCitation(f"{given!r} is no citation and no file of a report.")
    view, version, query, digest = found.groups()
    return Citation(view, int(version), parse_qsl(query), digest)


def _text_in(file: str) -> str:
    """The citation in a report's file, whose digest must be that of what follows."""
    try:
        first, _, rest = Path(file).read_bytes().partition(b"\n")
        citation = json.loads(first)
        text, digest = str(citation["text"]), citation["sha256"]
    except FileNotFoundError:
        return ""
    except (ValueError, KeyError, TypeError):
        return ""
    if sha256(rest.rstrip(b"\n")).hexdigest() != digest:
        raise NoCitation(f"{file} was changed: its report has not the digest that it cites.")
    return text
