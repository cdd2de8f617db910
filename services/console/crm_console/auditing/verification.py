"""The whole of `crm audit verify`: several logs, checkpoints that left, a place to go on from."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from crm_events.audit.note import Checkpoint

from crm_console.auditing.checking import LogCheck, Verdict
from crm_console.auditing.outside import (
    CheckpointRefused,
    Left,
    believed,
    checkpoints_at,
    given_key,
    verifiers_of,
)
from crm_console.transport import Transport

Show = Callable[[Mapping[str, Any]], None]


class StateRefused(Exception):
    """The file is not one that an earlier run left."""


class Verification:
    """Everything that can be wrong with what was given is refused before a log is read.

    Raises CheckpointRefused, NoSuchKey, StateRefused.
    """

    def __init__(
        self,
        transport: Transport,
        contexts: Sequence[str],
        against: Path | None,
        key: str | None,
        state: Path | None,
    ) -> None:
        self._transport = transport
        self._state = state
        self._reached = _read_state(state)
        self._key = None if key is None else given_key(key)
        left = {} if against is None else checkpoints_at(against)
        standings = {c: transport.send("GET", f"/v1/{c}/audit") for c in contexts}
        self._outside = {c: self._believed(s, left) for c, s in standings.items()}
        self._sealed = {c: s["sealed"] for c, s in standings.items()}
        if against is not None and not any(self._outside.values()):
            raise CheckpointRefused(
                f"{against} holds checkpoints of {', '.join(left)}, and of none of these logs."
            )

    def _believed(
        self, standing: Mapping[str, Any], left: Mapping[str, Sequence[Left]]
    ) -> list[Checkpoint]:
        trusted = self._key or verifiers_of(standing)
        return believed(left.get(standing["origin"], ()), trusted)

    def run(self, show: Show) -> list[Verdict]:
        """One verdict for each context; `show` is told how far it is."""
        done, total = 0, sum(self._sealed.values())

        def seen(context: str, part: Mapping[str, Any]) -> None:
            show({"context": context, "checked": done + part["checked"], "total": total})
            if part["wrong"] is None:
                self._keep(context, part["reached"])

        verdicts: list[Verdict] = []
        for context, outside in self._outside.items():
            check = LogCheck(self._transport, context, outside)
            verdicts.append(check.run(self._reached.get(context), seen))
            done += verdicts[-1].checked
        if self._state is not None:
            self._state.unlink(missing_ok=True)
        return verdicts

    def _keep(self, context: str, reached: str) -> None:
        if self._state is not None:
            self._reached[context] = reached
            draft = self._state.with_name(f"{self._state.name}.new")
            draft.write_text(json.dumps(self._reached))
            draft.replace(self._state)


def _read_state(path: Path | None) -> dict[str, str]:
    if path is None or not path.exists():
        return {}
    try:
        found = json.loads(path.read_text())
        return {str(context): str(reached) for context, reached in found.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise StateRefused(f"{path} is not what an earlier run left; name another.") from error
