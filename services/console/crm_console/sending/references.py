"""What the rows of each kind name, and who knows those names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Reference:
    """A field that holds a name: who resolves it, as what, and the field for its id."""

    field: str
    id_field: str
    context: str
    kind: str


@dataclass(frozen=True, slots=True)
class KindRoute:
    """Where rows of a kind go; some fields are sent under another name, `unsent` not at all."""

    context: str
    references: Sequence[Reference] = ()
    renamed: Mapping[str, str] | None = None
    unsent: frozenset[str] = frozenset()


_OWNER: Final = Reference("owner", "owner_id", "contacts", "staff")
_CAMPAIGN: Final = Reference("campaign", "campaign_id", "campaigns", "campaign")
_PRODUCT: Final = Reference("product", "product_id", "pipeline", "product")
_CUSTOMER_KEY: Final = {"customer": "customer_key"}

ROUTES: Final[Mapping[str, KindRoute]] = {
    "staff": KindRoute(
        "contacts",
        (Reference("manager", "manager_id", "contacts", "staff"),),
        unsent=frozenset(("email",)),
    ),
    "organisations": KindRoute("contacts"),
    "leads": KindRoute("contacts", (_OWNER, _CAMPAIGN)),
    "products": KindRoute("pipeline"),
    "deals": KindRoute(
        "pipeline",
        (
            _OWNER,
            Reference("customer", "customer_id", "contacts", "organisation"),
            _PRODUCT,
            _CAMPAIGN,
        ),
        unsent=frozenset(("outcome",)),
    ),
    "orders": KindRoute("pipeline", (_PRODUCT,), _CUSTOMER_KEY),
    "tickets": KindRoute(
        "ticketing", (Reference("agent", "agent_id", "contacts", "staff"),), _CUSTOMER_KEY
    ),
}

Ids = Mapping[tuple[str, str, str], str | None]
"""(context, kind, name) -> id; None where nobody knows the name."""


class UnknownName(Exception):
    """A row names something that nobody knows and that cannot be made from a name alone."""

    def __init__(self, field: str, name: str) -> None:
        super().__init__(f"there is no {field} {name!r}; make it first, or leave the field out")
        self.field = field


def with_ids(route: KindRoute, values: Mapping[str, Any], ids: Ids) -> dict[str, Any]:
    """The values of a row as its context takes them. Raises UnknownName."""
    sent = {name: value for name, value in values.items() if name not in route.unsent}
    for reference in route.references:
        if reference.field in sent:
            sent[reference.id_field] = _id_of(reference, sent.pop(reference.field), ids)
    for name, other in (route.renamed or {}).items():
        if name in sent:
            sent[other] = sent.pop(name)
    return sent


def field_of(route: KindRoute, column: str) -> str:
    """The file's own field for one that its context calls otherwise."""
    names = {reference.id_field: reference.field for reference in route.references}
    names |= {other: name for name, other in (route.renamed or {}).items()}
    return names.get(column, column)


def _id_of(reference: Reference, name: str | None, ids: Ids) -> str | None:
    if name is None:
        return None
    found = ids[reference.context, reference.kind, name]
    if found is None:
        raise UnknownName(reference.field, name)
    return found
