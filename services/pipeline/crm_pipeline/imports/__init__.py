"""Rows of files that become products, deals and orders: what each says that is not known yet."""

from __future__ import annotations

from collections.abc import Mapping

from crm_service.importing.routes import Begin
from crm_service.names import Named

from crm_pipeline.application import PipelineApplication
from crm_pipeline.application.directory import PRODUCT
from crm_pipeline.domain.product import Product, ProductFacts
from crm_pipeline.imports.deals import DealImport
from crm_pipeline.imports.orders import OrderImport
from crm_pipeline.imports.places import Places
from crm_pipeline.imports.products import ProductImport


def import_kinds(app: PipelineApplication, places: Places) -> Mapping[str, Begin]:
    """The kinds of rows by the name they have in the path."""
    return {
        "products": lambda request: ProductImport(app, request, places),
        "deals": lambda request: DealImport(app, request, places),
        "orders": lambda request: OrderImport(app, request, places),
    }


NAMES: Mapping[str, Named[Product]] = {
    PRODUCT: Named(
        aggregate=Product,
        name_of=lambda product: product.facts.name,
        is_stub=lambda product: product.stub,
        begin=lambda product, name, at: product.register(ProductFacts(name), stub=True, at=at),
    )
}
"""What can be looked up by name; an unknown product becomes a stub."""
