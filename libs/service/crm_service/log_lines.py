"""`GET /v1/<context>/events`: a context's log as it is stored, page by page, for whoever reads it
without Kafka: exports, replays, other consumers."""

from __future__ import annotations

from typing import Annotated, Final

from crm_events.lines import MEDIA_TYPE, to_line
from crm_events.store.port import EventRecorder
from fastapi import Query, Response

from crm_service.routing import Router

MOST: Final = 5_000
COMPLETE_TO: Final = "Crm-Complete-To"
After = Annotated[
    int, Query(ge=0, le=2**62, description="Crm-Complete-To of the page before; 0 for the first")
]
Limit = Annotated[int, Query(ge=1, le=MOST, description="Events at most")]


class Lines(Response):
    """Events, one line of JSON each."""

    media_type = MEDIA_TYPE


def log_router(context: str, recorder: EventRecorder) -> Router:
    """The log in order of its positions. Personal fields are sealed in it, as they are stored."""
    router = Router(prefix=f"/v1/{context}", tags=["events"])

    @router.get("/events", response_class=Lines)
    def read_events(after: After = 0, limit: Limit = 1_000) -> Response:
        """Events after a position, one line of JSON each: the attributes that they have on Kafka,
        and `data` byte for byte as it is stored, with personal fields sealed. The header
        Crm-Complete-To says up to where nothing can appear any more: go on after it."""
        page = recorder.read_log(after, limit)
        body = b"".join(b"%b\n" % to_line(envelope) for envelope in page.envelopes)
        return Lines(body, headers={COMPLETE_TO: str(max(page.safe_to, after))})

    return router
