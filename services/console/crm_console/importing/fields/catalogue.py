"""All kinds by name, and their description for `crm import KIND --fields`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from crm_console.importing.errors import FileRefused
from crm_console.importing.fields.contacts import LEADS, ORGANISATIONS, STAFF
from crm_console.importing.fields.field import Kind
from crm_console.importing.fields.orders import ORDERS
from crm_console.importing.fields.pipeline import DEALS, PRODUCTS
from crm_console.importing.fields.ticketing import TICKETS

KINDS: Final = {
    kind.name: kind for kind in (STAFF, ORGANISATIONS, PRODUCTS, LEADS, DEALS, TICKETS, ORDERS)
}


@dataclass(frozen=True, slots=True)
class FieldDescription:
    """One line of `--fields`. `headers` are the column names it is found by without `--map`."""

    name: str
    type: str
    required: bool
    english: str
    chinese: str
    headers: tuple[str, ...]


def kind_named(name: str) -> Kind:
    """The kind, or a refusal that lists all kinds."""
    kind = KINDS.get(name)
    if kind is None:
        raise FileRefused(f"There is no kind {name!r}.", f"Kinds: {', '.join(KINDS)}.")
    return kind


def describe(kind: str) -> tuple[FieldDescription, ...]:
    """The fields of a kind, in the order in which rows carry them."""
    return tuple(
        FieldDescription(
            field.name,
            str(field.type),
            field.required,
            field.english,
            field.chinese,
            (field.name, field.chinese, *field.synonyms),
        )
        for field in kind_named(kind).fields
    )
