"""Goes through one context's log by asking its service for part after part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from crm_events.audit.note import Checkpoint

from crm_console.transport import Transport

PART: Final = 50_000
_SIZES: Final = 400
Seen = Callable[[str, Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one context: `wrong` as the service says it, or as a checkpoint that left
    does; None where everything is as it was sealed."""

    context: str
    checked: int
    position: int
    checkpoints: int
    compared: int
    unsealed: int
    wrong: Mapping[str, Any] | None

    def row(self) -> dict[str, Any]:
        bad = self.wrong or {}
        names = ("checked", "position", "checkpoints", "compared", "unsealed")
        return {
            "context": self.context,
            **{name: getattr(self, name) for name in names},
            "result": "wrong" if self.wrong else "right",
            "first_bad_position": bad.get("position"),
            "upto": bad.get("upto"),
            "kind": bad.get("kind"),
            "detail": bad.get("detail"),
        }


class LogCheck:
    """`outside` are believed checkpoints of this log, the smallest first."""

    def __init__(
        self, transport: Transport, context: str, outside: Sequence[Checkpoint] = ()
    ) -> None:
        self._transport = transport
        self._context = context
        self._outside = list(outside)
        self._compared = 0
        self._good_to = 0

    def run(self, reached: str | None, seen: Seen) -> Verdict:
        """`seen` is told of every part, with the place it reached."""
        for part in self._parts(reached):
            seen(self._context, part)
            wrong = part["wrong"] or self._differs(part)
            if wrong or part["done"]:
                return self._verdict(part, wrong or self._cut(part))
        raise AssertionError  # the parts end with one of the two

    def _parts(self, reached: str | None) -> Iterator[Mapping[str, Any]]:
        at = int(reached.split(".")[0]) if reached else 0
        while True:
            sizes = [c.size for c in self._outside if c.size >= at][:_SIZES]
            more = len(sizes) == _SIZES
            limit = max(1, min(PART, sizes[-1] - at)) if more else PART
            query = {"reached": reached, "limit": limit}
            query["sizes"] = ",".join(map(str, dict.fromkeys(sizes))) or None
            part = self._transport.send("GET", f"/v1/{self._context}/audit/check", query=query)
            yield part
            reached, at = part["reached"], part["checked"]

    def _differs(self, part: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Whether a root that was computed is another than the one that left."""
        roots = {root["size"]: root for root in part["roots"]}
        for left in self._outside:
            found = roots.get(left.size)
            if found is None:
                continue
            if found["root"] != left.root.hex():
                detail = f"the checkpoint of {left.size} events that left has another root"
                return _wrong(self._good_to + 1, max(found["position"], 1), detail)
            self._compared += 1
            self._good_to = found["position"]
        return None

    def _cut(self, part: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Whether a checkpoint that left speaks of more than there is."""
        last = self._outside[-1].size if self._outside else 0
        if last <= part["sealed"]:
            return None
        at = part["sealed_position"] + 1
        detail = f"a checkpoint of {last} events left, and {part['sealed']} are sealed here"
        return _wrong(at, at, detail)

    def _verdict(self, part: Mapping[str, Any], wrong: Mapping[str, Any] | None) -> Verdict:
        return Verdict(
            self._context,
            part["checked"],
            part["position"],
            part["checkpoints"],
            self._compared,
            part["unsealed"],
            wrong,
        )


def _wrong(position: int, upto: int, detail: str) -> Mapping[str, Any]:
    return {"position": position, "upto": upto, "kind": "rewritten", "detail": detail}
