"""The route of bulk imports: bounded bodies, and a bounded wait until names resolve."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from threading import Event
from time import monotonic
from typing import Annotated, Any, Final

from crm_events.application import ContextApplication
from fastapi import Depends, Header

from crm_service.commands import CommandCause
from crm_service.context import Head
from crm_service.importing.protocol import ImportIn, ImportKind, ImportOut
from crm_service.importing.rows import RowImport
from crm_service.names import as_import
from crm_service.problems import RequestRefused
from crm_service.routing import MIB, Router, body_limit

Begin = Callable[[ImportIn], ImportKind[Any, Any]]
"""A kind of import, made anew for each request."""
Seen = Callable[[str], int]
"""How far this context's reactions have seen another context's log."""
LIMIT: Final = 16 * MIB
PATIENCE_SECONDS: Final = 20.0
_PAUSE_SECONDS: Final = 0.02
_AFTER: Final = re.compile(r"([a-z][a-z0-9_]{0,30})/\*/(\d{1,18})", re.ASCII)


async def imports_after(
    crm_after: Annotated[
        str | None, Header(description="Wait for what was written before: contacts/*/1234.")
    ] = None,
) -> tuple[tuple[str, int], ...]:
    """The contexts and sequences that are to have been seen before the rows are decided."""
    named = [part.strip() for part in (crm_after or "").split(",") if part.strip()]
    found = [_AFTER.fullmatch(part) for part in named]
    if None in found:
        remedy = "Crm-After takes contexts with a sequence, such as contacts/*/1234."
        raise RequestRefused("malformed-request", remedy)
    return tuple((match[1], int(match[2])) for match in found if match)


def import_router(
    app: ContextApplication,
    secret: bytes,
    kinds: Mapping[str, Begin],
    seen: Seen | None = None,
    patience: float = PATIENCE_SECONDS,
) -> Router:
    """`POST /v1/<context>/imports/<kind>`. Without `seen` there is nothing to wait for."""
    router = Router(prefix=f"/v1/{app.context}", tags=["import"])

    @router.post("/imports/{kind}", response_model_exclude_none=True)
    @body_limit(LIMIT)
    def import_rows(
        kind: str,
        body: ImportIn,
        cause: CommandCause,
        after: Annotated[tuple[tuple[str, int], ...], Depends(imports_after)],
    ) -> ImportOut:
        if kind not in kinds:
            known = ", ".join(sorted(kinds))
            raise RequestRefused("not-found", f"There is no import of {kind!r} here; try {known}.")
        for context, sequence in after:
            if seen is not None and context != app.context:
                _wait(seen, context, sequence, patience)
        rows = RowImport(app, secret, kinds[kind](body), body, as_import(cause))
        results = rows.run()
        sequence = max(rows.sequence, app.recorder.safe_position())
        return ImportOut(results=results, position=Head(context=app.context, sequence=sequence))

    return router


def _wait(seen: Seen, context: str, sequence: int, patience: float) -> None:
    deadline, pause = monotonic() + patience, Event()
    while seen(context) < sequence:
        if monotonic() > deadline:
            raise RequestRefused(
                "unavailable",
                f"{context} up to {sequence} has not arrived here within {patience:g} s.",
                headers={"Retry-After": "1"},
            )
        pause.wait(_PAUSE_SECONDS)
