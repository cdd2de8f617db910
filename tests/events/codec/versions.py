"""One event in three versions, as three programs of different age know it.

v1  note, mood        the note is personal; the mood is a word
v2  text, score       the note was renamed, the mood is a number
v3  subject, body, score, author    the text was split; the author became personal
"""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from crm_events.event import Event, LongText, Personal, Text
from crm_events.upcasting import Lift

V1: Final = "crm.ticketing.NoteTaken.v1"
V2: Final = "crm.ticketing.NoteTaken.v2"
V3: Final = "crm.ticketing.NoteTaken.v3"


class NoteTaken(Event, context="ticketing"):
    customer_id: UUID
    note: Annotated[LongText | None, Personal("customer_id")] = None
    mood: Text = "calm"
    author: Text | None = None


class NoteTakenV2(Event, context="ticketing", version=2):
    customer_id: UUID
    text: Annotated[LongText | None, Personal("customer_id")] = None
    score: int
    author: Text | None = None


class NoteTakenV3(Event, context="ticketing", version=3):
    customer_id: UUID
    subject: Annotated[Text | None, Personal("customer_id")]
    body: Annotated[LongText | None, Personal("customer_id")] = None
    score: int
    author: Annotated[Text | None, Personal()] = None


_SCORES: Final = {"angry": 1, "calm": 3}


def _to_2(raw: dict[str, Any]) -> dict[str, Any]:
    return {"text": raw.pop("note"), "score": _SCORES[raw.pop("mood")], **raw}


def _to_3(raw: dict[str, Any]) -> dict[str, Any]:
    text = raw.pop("text")
    if text is None:
        return raw
    subject, _, body = text.partition("\n")
    return {**raw, "subject": subject, "body": body or None}


LIFT_1: Final = Lift(V2, _to_2, ("note",))
LIFT_2: Final = Lift(V3, _to_3, ("text",))
UPCASTS: Final = {V1: LIFT_1, V2: LIFT_2}
CATALOGUE: Final[dict[str, type[Event]]] = {V3: NoteTakenV3}
