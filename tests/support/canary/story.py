"""One story in which every command and every import of every context is used at least once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from crm_console.settling import settle
from crm_console.transport import Transport
from crm_events.catalogue import CONTEXTS
from crm_ticketing.application.surveys import survey_id

from tests.support.canary.telling import Teller, documents_of

CONTACTS, PIPELINE = "/v1/contacts", "/v1/pipeline"
TICKETS, CAMPAIGNS = "/v1/ticketing/tickets", "/v1/campaigns/campaigns"
FIVE = {"amount": "5.00", "currency": "EUR"}


def tell_everything(transport: Transport, documents: Mapping[str, Any] | None = None) -> Teller:
    """Whoever adds a command tells of it here; `Teller.commands` says what there is."""
    teller = Teller(transport, documents or documents_of(transport))
    _people(teller)
    pipeline, first, second = _catalogue(teller)
    settle(transport)
    _leads(teller, pipeline)
    _deals(teller, pipeline, first, second)
    _orders(teller)
    _tickets(teller, transport)
    _campaigns(teller)
    _files(teller)
    _erasure(teller)
    _undoing(teller)
    settle(transport)
    return teller


def _people(teller: Teller) -> None:
    ids = teller.filler.ids
    for path, names in (
        ("staff", ("owner_id", "agent_id", "agents")),
        ("organisations", ()),
        ("people", ("customer_id",)),
    ):
        id = teller.tell(f"{CONTACTS}/{path}")["id"]
        ids.update(dict.fromkeys(names, id))
        teller.tell(f"{CONTACTS}/{path}/{{id}}:change", at={"id": id})
        if path != "staff":
            teller.tell(f"{CONTACTS}/{path}/{{id}}:enter-phase", at={"id": id})
    for verb in ("give-consent", "withdraw-consent"):
        teller.tell(f"{CONTACTS}/people/{{id}}:{verb}", at={"id": ids["customer_id"]})


def _catalogue(teller: Teller) -> tuple[str, str, str]:
    """The key of a pipeline and of its two stages."""
    product = teller.tell(f"{PIPELINE}/products")["id"]
    teller.tell(f"{PIPELINE}/products/{{id}}:change", at={"id": product})
    teller.filler.ids["product_id"] = product
    teller.tell(f"{PIPELINE}/pipelines")
    [key] = teller.filler.texts(f"{PIPELINE}/pipelines key")
    first, second = teller.filler.texts(f"{PIPELINE}/pipelines stages key")
    return key, first, second


def _leads(teller: Teller, pipeline: str) -> None:
    path = f"{CONTACTS}/leads"
    given_up, won = (teller.tell(path)["id"] for _ in range(2))
    teller.tell(f"{path}/{{id}}:disqualify", at={"id": given_up})
    teller.tell(f"{path}/{{id}}:assign", at={"id": won})
    teller.tell(f"{path}/{{id}}:tag", at={"id": won}, tag="vip")
    teller.tell(f"{path}/{{id}}:untag", at={"id": won}, tag="vip")
    teller.tell(f"{path}/{{id}}:tag", at={"id": won})
    teller.tell(f"{path}/{{id}}:qualify", at={"id": won})
    teller.tell(f"{path}/{{id}}:convert", at={"id": won}, pipeline=pipeline)


def _deals(teller: Teller, pipeline: str, first: str, second: str) -> None:
    path = f"{PIPELINE}/deals"
    at = {"id": teller.tell(path, pipeline=pipeline, stage=first)["id"]}
    teller.tell(f"{path}/{{id}}:advance", at=at, stage=second)
    teller.tell(f"{path}/{{id}}:move-back", at=at, stage=first)
    for verb in ("amend", "assign", "lose"):
        teller.tell(f"{path}/{{id}}:{verb}", at=at)
    teller.tell(f"{path}/{{id}}:reopen", at=at, stage=second)
    teller.tell(f"{path}/{{id}}:win", at=at)
    teller.tell(f"{PIPELINE}/pipelines/{{key}}:change-stages", at={"key": pipeline})
    nobodys = {"id": teller.tell(path, pipeline=pipeline, stage=None, customer_id=None)["id"]}
    teller.tell(f"{path}/{{id}}:amend", at=nobodys, customer_id=None)


def _orders(teller: Teller) -> None:
    path = f"{PIPELINE}/orders"
    at = {"id": teller.tell(path)["id"]}
    teller.tell(f"{path}/{{id}}:amend", at=at)
    teller.tell(f"{path}/{{id}}:receive-payment", at=at, amount=FIVE)


def _tickets(teller: Teller, transport: Transport) -> None:
    teller.tell("/v1/ticketing/feedback")
    teller.tell("/v1/ticketing/assignment-rules:define")
    at = {"id": teller.tell(TICKETS)["id"]}
    for verb in ("assign", "reply", "hold", "resume", "resolve"):
        teller.tell(f"{TICKETS}/{{id}}:{verb}", at=at)
    settle(transport)
    survey = {**at, "survey_id": str(survey_id(UUID(at["id"]), 1))}
    teller.tell(f"{TICKETS}/{{id}}/surveys/{{survey_id}}:score", at=survey)
    for verb in ("close", "reopen", "amend"):
        teller.tell(f"{TICKETS}/{{id}}:{verb}", at=at)
    nobodys = {"id": teller.tell(TICKETS, customer_id=None)["id"]}
    teller.tell(f"{TICKETS}/{{id}}:hold", at=nobodys)


def _campaigns(teller: Teller) -> None:
    at = {"id": teller.tell(CAMPAIGNS)["id"]}
    teller.tell(f"{CAMPAIGNS}/{{id}}:launch", at=at)
    channel, _ = teller.filler.texts(f"{CAMPAIGNS} channels")
    teller.tell(f"{CAMPAIGNS}/{{id}}/responses", at=at, channel=channel)


def _files(teller: Teller) -> None:
    for context, kind in (
        ("contacts", "staff"),
        ("contacts", "organisation"),
        ("contacts", "person"),
        ("pipeline", "product"),
        ("campaigns", "campaign"),
    ):
        teller.tell(f"/v1/{context}/names:resolve", kind=kind, source="file")
    teller.bring("contacts", "staff")
    teller.bring("contacts", "organisations", currency="EUR")
    teller.bring("contacts", "leads", status="junk")
    teller.bring("pipeline", "products", currency="EUR")
    stages = {"pipeline": "of-a-file", "stages": ["asked", "offered"]}
    teller.bring("pipeline", "deals", stages, stage="Lost", amount="5", currency="EUR")
    ordered = {"ordered_at": "2026-01-05T10:00:00Z", "amount": "5", "currency": "EUR"}
    teller.bring("pipeline", "orders", **ordered, customer_id=None)
    teller.bring("ticketing", "tickets", customer_id=None, resolved=True)


def _erasure(teller: Teller) -> None:
    """Of somebody who said nothing, so that all that was said can still be looked for."""
    nobody, now = str(UUID(int=1)), "2026-06-30T12:00:00Z"
    at = {"id": nobody}
    said = {"subject": nobody, "stated_at": now, "contexts": [], "views": []}
    teller.tell(f"{CONTACTS}/erasures/{{id}}:erase", at=at, statement=said)
    found = {"stated_at": now, "contexts": [], "views": [], "unchanged": True}
    teller.tell(f"{CONTACTS}/erasures/{{id}}:certify", at=at, **found)
    teller.tell(f"{CONTACTS}/keys:reapply")


def _undoing(teller: Teller) -> None:
    """Of nothing, so that all that was said stays said."""
    nothing = str(UUID(int=2))
    for context in CONTEXTS:
        teller.tell(f"/v1/{context}/undo", correlation=nothing, dry_run=False, in_use=[])
        teller.tell(f"/v1/{context}/references", correlation=nothing, ids=[], left=[])
