"""The commands that say what deals are made of: pipelines with their stages, and products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from crm_events.application import Outcome, Saving
from crm_events.names import folded
from crm_events.store.mapper import Cause
from crm_events.store.port import Beside

from crm_pipeline.application.directory import PRODUCT, Directory
from crm_pipeline.domain.pipeline import Pipeline, StageDraft, Terminals
from crm_pipeline.domain.product import Product, ProductExists, ProductFacts


class Catalogue(Directory):
    """Pipelines and products."""

    def define_pipeline(
        self, cause: Cause, key: str, name: str, drafts: Sequence[StageDraft], ends: Terminals
    ) -> Outcome:
        def decide() -> Pipeline:
            pipeline = self.find(Pipeline, self.pipeline_id(key))
            pipeline.define(key, name, drafts, ends, at=cause.at)
            return pipeline

        return self.execute(cause, decide)

    def change_stages(
        self,
        cause: Cause,
        key: str,
        drafts: Sequence[StageDraft],
        ends: Terminals,
        expected: int | None = None,
    ) -> Outcome:
        def decide() -> Pipeline:
            pipeline = self.pipeline(key, expected=expected)
            pipeline.change_stages(drafts, ends, at=cause.at)
            return pipeline

        return self.execute(cause, decide, expected=expected)

    def register_product(self, cause: Cause, facts: ProductFacts) -> Outcome:
        """The id is made of the name as it is matched, so that no two products share one."""

        def decide() -> Saving:
            if self.names.find(PRODUCT, [facts.name]):
                raise ProductExists(facts.name)
            product = self.find(Product, self.names.stub_id(PRODUCT, facts.name))
            product.register(facts, at=cause.at)
            return self._named(product)

        return self.execute(cause, decide)

    def change_product(
        self, cause: Cause, id: UUID, changes: Mapping[str, Any], expected: int | None = None
    ) -> Outcome:
        """`changes` are fields of `ProductFacts`; those not named stay."""

        def decide() -> Saving:
            product = self.load(Product, id, expected=expected)
            facts = replace(product.facts, **changes)
            if self.names.find(PRODUCT, [facts.name]).get(folded(facts.name), id) != id:
                raise ProductExists(facts.name)
            product.change(facts, at=cause.at)
            return self._named(product)

        return self.execute(cause, decide, expected=expected)

    def _named(self, product: Product) -> Saving:
        entry = self.names.entry(PRODUCT, product.id, product.facts.name)
        return Saving((product,), beside=Beside(directory=(entry,)))
