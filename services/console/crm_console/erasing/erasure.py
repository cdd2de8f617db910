"""One erasure from the statement of what there is to the certificate of what is left."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from crm_console.erasing.figures import figures, questions
from crm_console.erasing.finding import Found, Holding, find, holdings_of
from crm_console.settling import settle
from crm_console.transport import ServerSaid, Transport

Certificate = Mapping[str, Any]
_NOT_FOUND = 404


def erasure_of(transport: Transport, subject: str) -> Certificate | None:
    """The certificate of an erasure; None where the subject has not been erased."""
    try:
        found: Certificate = transport.send("GET", f"/v1/contacts/erasures/{subject}")
    except ServerSaid as said:
        if said.status == _NOT_FOUND:
            return None
        raise
    return found


def erase(
    transport: Transport, found: Found, grounds: Mapping[str, Any], now: datetime
) -> Certificate:
    """State what there is, destroy the key, look again; the certificate as it is kept."""
    settle(transport)
    body = {**grounds, "statement": statement(transport, find(transport, found.subject), now)}
    transport.send("POST", f"/v1/contacts/erasures/{found.subject}:erase", body=body)
    return certify(transport, found.subject, now)


def erase_again(transport: Transport, certificate: Certificate) -> None:
    """An erasure that the store has forgotten, told as it was the first time."""
    subject = certificate["subject"]
    body = {name: certificate[name] for name in ("reason", "reference", "statement")}
    transport.send("POST", f"/v1/contacts/erasures/{subject}:erase", body=body)


def statement(transport: Transport, found: Found, now: datetime) -> dict[str, Any]:
    """What is held of the subject, and what the views say, at the positions where all is now."""
    asked = questions(transport, now.isoformat())
    return {
        "subject": found.subject,
        "stated_at": now.isoformat(),
        "contexts": [_stated(holding) for holding in found.holdings.values()],
        "views": figures(transport, asked),
    }


def _stated(holding: Holding) -> dict[str, Any]:
    streams = [{"id": s["id"], "events": s["events"]} for s in holding["streams"]]
    said = {name: holding[name] for name in ("context", "sequence", "events", "digest")}
    return {**said, "streams": streams}


def certify(transport: Transport, subject: str, now: datetime) -> Certificate:
    """Look at what is left, at the positions of the statement, and keep it with the erasure; what
    was found once stays. An erasure that was interrupted before this is completed by it."""
    kept = transport.send("GET", f"/v1/contacts/erasures/{subject}")
    if kept["after"] is not None:
        return dict(kept)
    settle(transport)
    after = _after(transport, subject, kept["statement"], now)
    return dict(transport.send("POST", f"/v1/contacts/erasures/{subject}:certify", body=after))


def _after(
    transport: Transport, subject: str, before: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    upto = {each["context"]: each["sequence"] for each in before["contexts"]}
    holdings = holdings_of(transport, subject, upto)
    names = ("context", "sequence", "events", "digest", "legible")
    contexts = [{name: holding[name] for name in names} for holding in holdings.values()]
    views = figures(transport, [each["question"] for each in before["views"]])
    return {
        "stated_at": now.isoformat(),
        "contexts": contexts,
        "views": views,
        "unchanged": unchanged(before, contexts, views),
    }


def unchanged(before: Mapping[str, Any], contexts: list[Any], views: list[Any]) -> bool:
    """Whether the same bytes are stored, the same figures answered, and nothing can be read."""
    stored = {each["context"]: (each["events"], each["digest"]) for each in before["contexts"]}
    return (
        stored == {each["context"]: (each["events"], each["digest"]) for each in contexts}
        and before["views"] == views
        and not any(each["legible"] for each in contexts)
    )
