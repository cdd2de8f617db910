"""Whose data an id leads to: a subject itself, or a lead or another thing that is about one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from crm_console.ids import id_of
from crm_console.transport import Transport

CONTEXTS: Final = ("contacts", "pipeline", "ticketing", "campaigns")
_PEOPLE: Final = ("contacts", "campaigns")
"""Where one thing that is about two subjects says that they are one human being."""
Holding = Mapping[str, Any]


class SubjectUnknown(Exception):
    """Nothing that is stored holds anything of such a subject."""


@dataclass(frozen=True, slots=True)
class Found:
    """A subject with what each context holds of it. `asked` is the id that led there; `related`
    maps other subjects who seem to be the same human to the thing that says so."""

    asked: str
    subject: str
    holdings: Mapping[str, Holding]
    related: Mapping[str, str]

    @property
    def sealed(self) -> int:
        return sum(len(event["sealed"]) for event in self.events())

    @property
    def plain(self) -> int:
        return sum(len(event["plain"]) for event in self.events())

    def events(self) -> Iterable[Mapping[str, Any]]:
        """Those that hold fields of the subject."""
        for holding in self.holdings.values():
            for stream in holding["streams"]:
                yield from stream["events"]


def holdings_of(
    transport: Transport, subject: str, upto: Mapping[str, int] | None = None
) -> dict[str, Holding]:
    """What each context holds, up to these positions where they are given."""
    return {
        context: transport.send(
            "GET",
            f"/v1/{context}/subjects/{subject}",
            query={"upto": None if upto is None else upto[context]},
        )
        for context in CONTEXTS
    }


def find(transport: Transport, asked: str) -> Found:
    """Raises SubjectUnknown, also where an id leads to several subjects."""
    asked = id_of(asked)
    holdings = holdings_of(transport, asked)
    if _held(holdings):
        return Found(asked, asked, holdings, _related(asked, holdings))
    subjects = sorted(_of_the_thing(asked, holdings))
    if len(subjects) > 1:
        raise SubjectUnknown(f"{asked} is about several subjects; name one: {', '.join(subjects)}.")
    if subjects:
        subject = subjects[0]
        holdings = holdings_of(transport, subject)
        return Found(asked, subject, holdings, _related(subject, holdings))
    if any(holding["streams"] for holding in holdings.values()):
        return Found(asked, asked, holdings, {})
    raise SubjectUnknown(f"Nothing is known of {asked}; give the id of a person, lead or customer.")


def _held(holdings: Mapping[str, Holding]) -> bool:
    return any(stream["events"] for h in holdings.values() for stream in h["streams"])


def _of_the_thing(id: str, holdings: Mapping[str, Holding]) -> set[str]:
    """Whose data the thing with this id holds."""
    streams = (stream for holding in holdings.values() for stream in holding["streams"])
    return {subject for s in streams if s["id"] == id for subject in s["subjects"]}


def _related(subject: str, holdings: Mapping[str, Holding]) -> dict[str, str]:
    return {
        other: stream["id"]
        for context in _PEOPLE
        for stream in holdings[context]["streams"]
        for other in stream["subjects"]
        if other != subject
    }
