"""What came of a job, as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from crm_projections.engine.replaying import Replayed
from crm_projections.engine.verifying import Verdict


def of_verify(verdict: Verdict) -> Any:
    return {
        "equal": not verdict.differences,
        "position": dict(verdict.position),
        "events": verdict.events,
        "differences": [asdict(difference) for difference in verdict.differences],
    }


def of_replay(found: Replayed) -> Any:
    return {
        "position": dict(found.position),
        "events": found.events,
        "parked": found.parked,
        "tables": [
            {"name": table.name, "rows": table.rows, "digest": f"{table.digest:032x}"}
            for table in found.tables
        ],
        "digest": found.digest,
    }
