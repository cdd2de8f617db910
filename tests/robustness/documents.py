"""A service's own description, told what exists: what is generated gets past the first refusal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import schemathesis
from schemathesis import BaseSchema

from tests.robustness.rows import with_rows
from tests.robustness.speaking import Speaking

SERVICES: Final = ("contacts", "pipeline", "ticketing", "campaigns", "views")
STAGES: Final = ("meet", "offer", "sign")
_NAMED_BY: Final[Mapping[str, Sequence[str]]] = {
    "staff": ("owner_id", "manager_id", "agent_id"),
    "organisation": ("organisation_id", "customer_id"),
    "product": ("product_id",),
    "campaign": ("campaign_id",),
    "pipeline": ("pipeline",),
    "stage": ("stage",),
    "kind": ("kind",),
    "channel": ("channel", "channels[*]"),
    "currency": (
        "total.currency",
        "amount.currency",
        "lines[*].amount.currency",
        "budget.currency",
    ),
    "amount": ("total.amount", "amount.amount", "lines[*].amount.amount", "budget.amount"),
}
_ALWAYS: Final[Mapping[str, Sequence[str]]] = {
    "channel": ("mail", "phone"),
    "currency": ("EUR",),
    "amount": ("12.50", "0", "99999999999999.9999", "-0.0001"),
    "version": ("*",),
}
_EDGES: Final = (
    "9999-12-31",
    "0001-01-01",
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00+14:00",
    "2026-06-30",
)
_SEED: Final = 4_000
_OFTEN: Final = 0.8
Known = Mapping[str, Sequence[str]]
"""What exists, by what it is: ids, or the keys that people chose."""


def told(speaking: Speaking) -> Known:
    """Make one of each thing that bodies refer to."""

    def made(path: str, **body: Any) -> list[str]:
        return [str(speaking.ask("POST", f"/v1/{path}", body)["id"])]

    stages = [{"key": key, "probability": 0.5} for key in STAGES]
    made("pipeline/pipelines", key="sales", stages=stages)
    goal, budget = {"measure": "leads", "target": 9}, {"amount": "9.50", "currency": "EUR"}
    return {
        "staff": made("contacts/staff", name="Ada"),
        "organisation": made("contacts/organisations", name="Acme"),
        "product": made("pipeline/products", name="Plan"),
        "campaign": made(
            "campaigns/campaigns", name="May", goal=goal, budget=budget, channels=["mail"]
        ),
        "pipeline": ["sales"],
        "stage": STAGES,
        "kind": ["staff", "organisation", "person", "product", "campaign"],
    }


def loaded(document: dict[str, Any], known: Known) -> BaseSchema:
    """The document for generating from; what bodies refer to exists more often than not."""
    with_rows(document)
    parameters: dict[str, Any] = {
        f"body.{name}": {"dictionary": kind, "probability": _OFTEN}
        for kind, names in _NAMED_BY.items()
        for name in names
        if kind in {**known, **_ALWAYS}
    }
    parameters["header.If-Match"] = {"dictionary": "version", "probability": _OFTEN}
    for name in ("from", "to", "as_of", "known_at"):
        parameters[f"query.{name}"] = {"dictionary": "instant", "probability": _OFTEN}
    return schemathesis.openapi.from_dict(
        document,
        config=schemathesis.Config.from_dict(
            {
                "seed": _SEED,
                "dictionaries": {
                    name: {"values": list(values)}
                    for name, values in {**known, **_ALWAYS, "instant": _EDGES}.items()
                },
                "parameters": {**parameters, "query.wait": 0},
                "generation": {
                    "deterministic": True,
                    "with-security-parameters": False,
                    "allow-x00": False,
                },
            }
        ),
    )
