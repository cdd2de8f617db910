"""What the decisions of pipeline rest on: what else is known when a command arrives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar, Final, TypeVar
from uuid import UUID

from crm_events.application import ContextApplication, NotFound, Outcome
from crm_events.codec import Codec
from crm_events.domain import Aggregate, DomainError
from crm_events.event import Staff
from crm_events.ids import derived_id
from crm_events.store.mapper import Cause
from crm_events.store.port import EventRecorder
from crm_service.names import NameIndex
from crm_service.staff import staff_member

from crm_pipeline.domain.pipeline import Pipeline, PipelineUnknown

A = TypeVar("A", bound=Aggregate)
ORGANISATION: Final = "organisation"
PRODUCT: Final = "product"


class ProductUnknown(DomainError):
    slug: ClassVar[str] = "product-unknown"

    def __init__(self, id: UUID) -> None:
        super().__init__(f"There is no product {id}; register it first.")


class Directory(ContextApplication):
    """Finds pipelines by key, products by name, staff and sectors as they are now."""

    context = "pipeline"

    def __init__(self, recorder: EventRecorder, codec: Codec, secret: bytes) -> None:
        super().__init__(recorder, codec)
        self.secret = secret
        self.names = NameIndex(recorder, secret)

    def find(self, kind: type[A], id: UUID) -> A:
        """The aggregate as it is, or one to be begun."""
        return self.load_any(kind, [id]).get(id) or kind(id)

    def pipeline_id(self, key: str) -> UUID:
        return derived_id(self.secret, "", "pipeline", key)

    def pipeline(self, key: str, *, expected: int | None = None) -> Pipeline:
        """Raises PipelineUnknown, and StaleVersion when it is not at `expected`."""
        try:
            return self.load(Pipeline, self.pipeline_id(key), expected=expected)
        except NotFound:
            raise PipelineUnknown(key) from None

    def staff(self, id: UUID) -> Staff:
        """Raises StaffUnknown."""
        return staff_member(self.recorder, id)

    def sector(self, customer_id: UUID | None) -> str | None:
        """The customer's sector as it is now, when it is an organisation that has one."""
        if customer_id is None:
            return None
        entry = self.recorder.directory(ORGANISATION, [customer_id]).get(customer_id)
        return None if entry is None else entry.data.get("sector")

    def refuse_unknown_product(self, id: UUID | None) -> None:
        if id is not None and id not in self.products([id]):
            raise ProductUnknown(id)

    def products(self, ids: Iterable[UUID]) -> set[UUID]:
        """Those of these products that there are; one that was withdrawn has no name any more."""
        entries = self.recorder.directory(PRODUCT, ids).values()
        return {entry.id for entry in entries if entry.name_key is not None}

    def change(
        self,
        cause: Cause,
        kind: type[A],
        id: UUID,
        decide: Callable[[A], None],
        expected: int | None,
        *,
        commutes: bool = False,
    ) -> Outcome:
        def change() -> A:
            aggregate = self.load(kind, id, expected=expected)
            decide(aggregate)
            return aggregate

        return self.execute(cause, change, expected=expected, commutes=commutes)
