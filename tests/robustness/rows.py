"""The shapes of imported rows, which a description leaves open, for generating near-right ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, Final

from crm_contacts.imports.leads import LeadImport
from crm_contacts.imports.organisations import OrganisationImport
from crm_contacts.imports.staff import StaffImport
from crm_pipeline.imports.deals import DealImport
from crm_pipeline.imports.orders import OrderImport
from crm_pipeline.imports.products import ProductImport
from crm_service.importing.protocol import ImportKind
from crm_ticketing.imports.tickets import TicketImport

_KINDS: Final[Mapping[str, tuple[type[ImportKind[Any, Any]], ...]]] = {
    "/v1/contacts/imports/": (StaffImport, OrganisationImport, LeadImport),
    "/v1/pipeline/imports/": (ProductImport, DealImport, OrderImport),
    "/v1/ticketing/imports/": (TicketImport,),
}


def with_rows(document: dict[str, Any]) -> None:
    """A path for each kind of rows, with their own shape, beside the one path that takes all."""
    schemas = document["components"]["schemas"]
    for prefix, kinds in _KINDS.items():
        found = document["paths"].get(f"{prefix}{{kind}}")
        for kind in kinds if found else ():
            schemas.update(_shapes(schemas, kind))
            document["paths"][f"{prefix}{kind.name}"] = _of_kind(found, kind.name)


def _of_kind(item: Mapping[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = deepcopy(dict(item))
    operation = found["post"]
    operation["operationId"] += f"_{name}"
    operation["parameters"] = [p for p in operation["parameters"] if p["name"] != "kind"]
    body = operation["requestBody"]["content"]["application/json"]
    body["schema"] = {"$ref": f"#/components/schemas/{name}.ImportIn"}
    return found


def _shapes(
    schemas: Mapping[str, Any], kind: type[ImportKind[Any, Any]]
) -> Iterator[tuple[str, Any]]:
    place = f"#/components/schemas/{kind.name}."
    values = kind.row.model_json_schema(ref_template=place + "{model}")
    for name, shape in values.pop("$defs", {}).items():
        yield f"{kind.name}.{name}", shape
    row, request = deepcopy(schemas["RowIn"]), deepcopy(schemas["ImportIn"])
    row["properties"]["values"] = values
    request["properties"]["rows"]["items"] = {"$ref": f"{place}RowIn"}
    yield f"{kind.name}.RowIn", row
    yield f"{kind.name}.ImportIn", request
