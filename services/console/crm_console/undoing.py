"""Undoing a correlation over the contexts, the effects before their causes.

First everything is planned and nothing done: what others have worked on since stays, and so does
whatever events refer to that stay. Then each context withdraws the rest, page by page. Doing it
again, or going on after an interruption, finds only what is left to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from crm_events.ids import new_id

from crm_console.transport import Transport

ORDER: Final = ("ticketing", "pipeline", "contacts", "campaigns")
_ROUNDS: Final = 10
_ENDS: Final = frozenset(("order", "ticket"))
"""Kinds that no event of anything else depends on."""
Thing = Mapping[str, Any]
Advance = Callable[[int], None]


class NothingCorrelated(Exception):
    """No context knows the correlation."""

    def __init__(self, correlation: str) -> None:
        super().__init__(
            f"No event belongs to a correlation {correlation}; an import tells its own at its end, "
            "and crm why EVENT those of its events."
        )


@dataclass(slots=True)
class Undoing:
    """What undoing one correlation comes to, thing by thing."""

    transport: Transport
    correlation: str
    under: str = field(default_factory=lambda: str(new_id()))
    """The correlation of the undo itself."""
    things: dict[str, list[Thing]] = field(default_factory=dict)
    in_use: set[str] = field(default_factory=set)

    def plan(self, advance: Advance) -> None:
        """Find out what would be done. Raises NothingCorrelated."""
        for context in ORDER:
            self.things[context] = list(self._pages(context, dry_run=True, advance=advance))
        if not any(self.things.values()) and not self._known():
            raise NothingCorrelated(self.correlation)
        self._keep_what_is_used()

    def carry_out(self, advance: Advance) -> None:
        """Withdraw what is planned."""
        for context in ORDER:
            if self.things[context]:
                self.things[context] = list(self._pages(context, dry_run=False, advance=advance))

    def all(self) -> Iterator[tuple[str, Thing]]:
        """Every thing with its context, in the order of undoing."""
        for context in ORDER:
            for thing in self.things[context]:
                yield context, thing

    def left(self) -> list[tuple[str, Thing]]:
        """Those that stay because of others."""
        return [(c, thing) for c, thing in self.all() if thing["status"] in ("conflict", "in_use")]

    def _known(self) -> bool:
        """Whether there is anything of it, undone as it may be."""
        path = f"correlations/{self.correlation}"
        return any(
            self.transport.send("GET", f"/v1/{context}/{path}", query={"limit": 1})["events"]
            for context in ORDER
        )

    def _pages(self, context: str, *, dry_run: bool, advance: Advance) -> Iterator[Thing]:
        body: dict[str, Any] = {"correlation": self.correlation, "dry_run": dry_run}
        ids = {thing["id"] for thing in self.things.get(context, ())}
        body["in_use"] = sorted(self.in_use & ids)
        headers = {"X-Correlation-Id": self.under}
        while True:
            page = self.transport.send("POST", f"/v1/{context}/undo", body=body, headers=headers)
            advance(len(page["things"]))
            yield from page["things"]
            if page["next"] is None:
                return
            body["before"] = page["next"]

    # --- what others refer to ---

    def _keep_what_is_used(self) -> None:
        """What stays refers to things, which stay too, and refer to others in their turn: those
        are of the correlation, so that the whole log is read but once."""
        for turn in range(_ROUNDS):
            used = self._used(own=turn > 0)
            if not used:
                return
            self.in_use |= used
            for context, things in self.things.items():
                self.things[context] = [
                    _kept(thing) if thing["id"] in used else thing for thing in things
                ]

    def _used(self, *, own: bool) -> set[str]:
        asked = {thing["id"] for _, thing in self.all() if _may_be_used(thing)}
        left = [thing["id"] for _, thing in self.all() if thing["does"] is None]
        used: set[str] = set()
        for context in ORDER:
            asking = {"correlation": self.correlation, "left": left, "own": own}
            used |= set(self._used_in(context, sorted(asked - used), asking))
        return used

    def _used_in(
        self, context: str, ids: Sequence[str], asking: Mapping[str, Any]
    ) -> Iterator[str]:
        after: int | None = 0
        while ids and after is not None:
            body = {**asking, "ids": ids, "after": after}
            page = self.transport.send("POST", f"/v1/{context}/references", body=body)
            yield from page["used"]
            ids = sorted(set(ids) - set(page["used"]))
            after = page["next"]


def _may_be_used(thing: Thing) -> bool:
    return thing["status"] == "withdrawn" and thing["kind"] not in _ENDS


def _kept(thing: Thing) -> Thing:
    return {**thing, "status": "in_use", "does": None}
