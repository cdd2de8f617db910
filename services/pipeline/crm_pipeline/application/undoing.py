"""What of pipeline can be undone. Pipelines and their stages stay: deals of anybody may follow."""

from __future__ import annotations

from typing import Any, Final

from crm_events.contracts.pipeline import (
    DealOpened,
    DealWithdrawn,
    OrderAmended,
    OrderPlaced,
    OrderWithdrawn,
    ProductChanged,
    ProductRegistered,
    ProductWithdrawn,
)
from crm_service.undoing.kinds import Undoable, record

from crm_pipeline.application.directory import PRODUCT
from crm_pipeline.domain.deal import Deal
from crm_pipeline.domain.order import Order
from crm_pipeline.domain.product import Product

UNDOABLES: Final[tuple[Undoable[Any], ...]] = (
    Undoable("deal", Deal, DealOpened, DealWithdrawn),
    record("order", Order, OrderPlaced, OrderAmended, OrderWithdrawn, named=False),
    record(PRODUCT, Product, ProductRegistered, ProductChanged, ProductWithdrawn),
)
