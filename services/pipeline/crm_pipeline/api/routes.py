"""The routes of pipeline: one table, and below it what each endpoint does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final
from uuid import UUID

from crm_service.commands import CommandCause, Expected, created, done
from crm_service.context import effective
from crm_service.routing import Endpoint, Router, command_table
from crm_service.schemas import Answer
from fastapi import Path, Response

from crm_pipeline.api import schemas
from crm_pipeline.application import PipelineApplication
from crm_pipeline.domain.deal_facts import DealFacts
from crm_pipeline.domain.order import OrderFacts, Payment
from crm_pipeline.domain.product import ProductFacts

PREFIX: Final = "/v1/pipeline"
KeyInPath = Annotated[str, Path(max_length=100)]


def command_router(app: PipelineApplication) -> Router:
    """Every command of pipeline."""
    catalogue, deals, orders = CatalogueRoutes(app), DealRoutes(app), OrderRoutes(app)
    table: Mapping[str, Endpoint] = {
        "/pipelines": catalogue.define_pipeline,
        "/pipelines/{key}:change-stages": catalogue.change_stages,
        "/products": catalogue.register_product,
        "/products/{id}:change": catalogue.change_product,
        "/deals": deals.open_deal,
        "/deals/{id}:advance": deals.advance_deal,
        "/deals/{id}:move-back": deals.move_deal_back,
        "/deals/{id}:win": deals.win_deal,
        "/deals/{id}:lose": deals.lose_deal,
        "/deals/{id}:reopen": deals.reopen_deal,
        "/deals/{id}:assign": deals.assign_deal,
        "/deals/{id}:amend": deals.amend_deal,
        "/orders": orders.place_order,
        "/orders/{id}:amend": orders.amend_order,
        "/orders/{id}:receive-payment": orders.receive_payment,
    }
    answers: Mapping[Endpoint, type[Answer]] = {orders.receive_payment: schemas.PaymentReceived}
    return command_table(Router(prefix=PREFIX, tags=["pipeline"]), table, answers)


class CatalogueRoutes:
    """Pipelines with their stages, and products."""

    def __init__(self, app: PipelineApplication) -> None:
        self._app = app

    def define_pipeline(self, body: schemas.DefinePipeline, cause: CommandCause) -> Response:
        at, name = effective(cause, body), body.name or body.key
        outcome = self._app.define_pipeline(at, body.key, name, body.drafts(), body.terminals())
        return done(outcome, status=201, location=f"{PREFIX}/pipelines/{body.key}")

    def change_stages(
        self, key: KeyInPath, body: schemas.ChangeStages, cause: CommandCause, expected: Expected
    ) -> Response:
        at = effective(cause, body)
        return done(self._app.change_stages(at, key, body.drafts(), body.terminals(), expected))

    def register_product(self, body: schemas.RegisterProduct, cause: CommandCause) -> Response:
        facts = ProductFacts(**body.facts())
        outcome = self._app.register_product(effective(cause, body), facts)
        return created(outcome, f"{PREFIX}/products")

    def change_product(
        self, id: UUID, body: schemas.ChangeProduct, cause: CommandCause, expected: Expected
    ) -> Response:
        at = effective(cause, body)
        return done(self._app.change_product(at, id, body.changes(), expected))


class DealRoutes:
    """Deals from opening to won or lost, and back."""

    def __init__(self, app: PipelineApplication) -> None:
        self._app = app

    def open_deal(self, body: schemas.OpenDeal, cause: CommandCause) -> Response:
        at, facts = effective(cause, body), DealFacts(**body.facts())
        outcome = self._app.open_deal(at, body.pipeline, body.stage, facts, body.owner_id)
        return created(outcome, f"{PREFIX}/deals")

    def advance_deal(
        self, id: UUID, body: schemas.AdvanceDeal, cause: CommandCause, expected: Expected
    ) -> Response:
        return done(self._app.advance_deal(effective(cause, body), id, body.stage, expected))

    def move_deal_back(
        self, id: UUID, body: schemas.MoveDealBack, cause: CommandCause, expected: Expected
    ) -> Response:
        at = effective(cause, body)
        return done(self._app.move_deal_back(at, id, body.stage, body.reason, expected))

    def win_deal(
        self, id: UUID, body: schemas.WinDeal, cause: CommandCause, expected: Expected
    ) -> Response:
        return done(self._app.win_deal(effective(cause, body), id, body.amount, expected))

    def lose_deal(
        self, id: UUID, body: schemas.LoseDeal, cause: CommandCause, expected: Expected
    ) -> Response:
        return done(self._app.lose_deal(effective(cause, body), id, body.reason, expected))

    def reopen_deal(
        self, id: UUID, body: schemas.ReopenDeal, cause: CommandCause, expected: Expected
    ) -> Response:
        at = effective(cause, body)
        return done(self._app.reopen_deal(at, id, body.stage, body.reason, expected))

    def assign_deal(
        self, id: UUID, body: schemas.AssignDeal, cause: CommandCause, expected: Expected
    ) -> Response:
        return done(self._app.assign_deal(effective(cause, body), id, body.owner_id, expected))

    def amend_deal(
        self, id: UUID, body: schemas.AmendDeal, cause: CommandCause, expected: Expected
    ) -> Response:
        return done(self._app.amend_deal(effective(cause, body), id, body.changes(), expected))


class OrderRoutes:
    """Orders and what is paid of them."""

    def __init__(self, app: PipelineApplication) -> None:
        self._app = app

    def place_order(self, body: schemas.PlaceOrder, cause: CommandCause) -> Response:
        at, facts = effective(cause, body), OrderFacts(**body.facts())
        return created(self._app.place_order(at, facts, body.deal_id), f"{PREFIX}/orders")

    def amend_order(
        self, id: UUID, body: schemas.AmendOrder, cause: CommandCause, expected: Expected
    ) -> Response:
        return done(self._app.amend_order(effective(cause, body), id, body.changes(), expected))

    def receive_payment(
        self, id: UUID, body: schemas.ReceivePayment, cause: CommandCause, expected: Expected
    ) -> Response:
        payment = Payment(body.amount, body.method, body.reference)
        return done(self._app.receive_payment(effective(cause, body), id, payment, expected))
