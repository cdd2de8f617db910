"""Rows of a file of products. A stub that deals named before is filled by its own record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from crm_events.event import Text
from crm_events.names import folded
from crm_events.store.port import DirectoryEntry
from crm_service.importing.options import Options, money, options_of
from crm_service.importing.protocol import ImportIn, ImportKind
from crm_service.schemas import Body, MoneyAmount
from crm_service.settings import Currency

from crm_pipeline.application import PipelineApplication
from crm_pipeline.application.directory import PRODUCT
from crm_pipeline.domain.product import Product
from crm_pipeline.imports.places import Places


class ProductRow(Body):
    """A field that the row does not have stays as it is known; one that is null becomes unknown."""

    name: Text
    series: Text | None = None
    price: MoneyAmount | None = None
    currency: Currency | None = None


class ProductImport(ImportKind[Product, ProductRow]):
    """Products are matched by name, since that is what deals call them by."""

    name: ClassVar = "products"
    adopts: ClassVar = True
    aggregate = Product
    row = ProductRow

    def __init__(self, app: PipelineApplication, request: ImportIn, places: Places) -> None:
        self._app = app
        self._currency = options_of(Options, request).currency or places.currency

    def adopt(self, rows: Mapping[UUID, ProductRow]) -> Mapping[UUID, UUID]:
        """Those that are registered under their name already, by whomever."""
        found = self._app.names.find(PRODUCT, [row.name for row in rows.values()])
        known = {row_id: found.get(folded(row.name)) for row_id, row in rows.items()}
        return {row_id: id_ for row_id, id_ in known.items() if id_ is not None}

    def decide(self, thing: Product, row: ProductRow, *, at: datetime) -> Iterable[DirectoryEntry]:
        facts = replace(thing.facts, **self._said(row))
        if thing.begun:
            thing.change(facts, at=at)
        else:
            thing.register(facts, at=at)
        return (self._app.names.entry(PRODUCT, thing.id, facts.name),)

    def _said(self, row: ProductRow) -> dict[str, Any]:
        said: dict[str, Any] = {"name": row.name}
        if "series" in row.model_fields_set:
            said["series"] = row.series
        if "price" in row.model_fields_set:
            said["list_price"] = money(row.price, row.currency, self._currency)
        return said
