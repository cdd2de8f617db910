"""Tells the sample: staff and products first, then leads, deals, tickets and orders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from crm_console.sample import cast
from crm_console.sample.plot import Plot, Size, dated
from crm_console.sample.tables import order_rows, ticket_rows
from crm_console.settling import settle
from crm_console.transport import ServerSaid, Transport

PIPELINE: Final = "sales"
SOURCE: Final = "sample"
_NOT_FOUND: Final = 404
_BATCH: Final = 500

Advance = Callable[[int], None]


class Story:
    """One telling. The same seed, size and day tell the same, and told again add nothing."""

    def __init__(self, transport: Transport, plot: Plot, size: Size, advance: Advance) -> None:
        self._transport = transport
        self._plot = plot
        self._size = size
        self._advance = advance
        self._ids: dict[str, str] = {}
        self._converted: list[tuple[str, datetime]] = []
        self._told = 0

    def tell(self) -> None:
        """Everything, in an order in which later things find the earlier ones."""
        self._people_and_products()
        settle(self._transport)
        campaigns = [self._campaign(*campaign) for campaign in cast.CAMPAIGNS]
        self._answered(campaigns)
        self._walked_in()
        self._deals()
        self._tickets()
        self._orders()
        settle(self._transport)

    def _post(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send a command; what a reaction has yet to make is waited for."""
        self._told += 1
        key = f"sample-{self._plot.seed}-{self._told}"
        settled = False
        while True:
            try:
                answer: Mapping[str, Any] = self._transport.send(
                    "POST", f"/v1{path}", body=body, headers={"Idempotency-Key": key}
                )
            except ServerSaid as said:
                if said.status != _NOT_FOUND or settled:
                    raise
                settle(self._transport)
                settled = True
            else:
                return answer

    # --- who and what there is ---

    def _people_and_products(self) -> None:
        begin = self._plot.begin - timedelta(days=1)
        for name, manager, region, team in cast.STAFF:
            body = dated(begin, name=name, region=region, team=team)
            body |= {"manager_id": self._ids[manager]} if manager else {}
            self._ids[name] = self._post("/contacts/staff", body)["id"]
        for name, sector in cast.ORGANISATIONS:
            body = dated(begin, name=name, sector=sector, region=self._plot.one_of(cast.REGIONS))
            self._ids[name] = self._post("/contacts/organisations", body)["id"]
        for name, series, price in cast.PRODUCTS:
            amount = {"amount": str(price), "currency": self._plot.currency}
            body = dated(begin, name=name, series=series, list_price=amount)
            self._ids[name] = self._post("/pipeline/products", body)["id"]
        stages = [
            {"key": key, "name": name, "probability": share, "note": note}
            for key, name, share, note in cast.STAGES
        ]
        body = dated(begin, key=PIPELINE, name="Sales", stages=stages, won_name=cast.WON_NAME)
        self._post("/pipeline/pipelines", body)

    # --- campaigns and leads ---

    def _campaign(self, name: str, channel: str, budget: int) -> tuple[str, str, datetime]:
        planned = self._plot.begin + timedelta(days=self._plot.number(1, self._plot.number(5, 60)))
        body = dated(
            planned,
            name=name,
            goal={"measure": "leads", "target": self._size.responses},
            budget={"amount": str(budget), "currency": self._plot.currency},
            channels=[channel],
        )
        campaign = self._post("/campaigns/campaigns", body)["id"]
        launched = planned + timedelta(days=3)
        self._post(f"/campaigns/campaigns/{campaign}:launch", dated(launched))
        return campaign, channel, launched

    def _answered(self, campaigns: list[tuple[str, str, datetime]]) -> None:
        leads: list[tuple[str, datetime]] = []
        for _ in range(self._size.responses):
            campaign, channel, launched = self._plot.one_of(tuple(campaigns))
            answered = self._plot.later(launched, 60) or launched
            body = dated(answered, channel=channel, **self._plot.person())
            answer = self._post(f"/campaigns/campaigns/{campaign}/responses", body)
            leads.append((answer["lead_id"], answered))
            self._advance(1)
        settle(self._transport)
        for lead, captured in leads:
            self._follow_lead(lead, captured)

    def _walked_in(self) -> None:
        for _ in range(self._size.leads):
            captured = self._plot.moment()
            body = dated(
                captured,
                source=self._plot.one_of(cast.SOURCES),
                owner_id=self._ids[self._plot.one_of(cast.SELLERS)],
                **self._plot.person(),
            )
            lead = self._post("/contacts/leads", body)["id"]
            self._follow_lead(lead, captured)
            self._advance(1)

    def _follow_lead(self, lead: str, captured: datetime) -> None:
        looked_at = self._plot.later(captured, 10)
        if looked_at is None:
            return
        if not self._plot.chance(0.6):
            self._post(f"/contacts/leads/{lead}:disqualify", dated(looked_at, reason="no need"))
            return
        self._post(f"/contacts/leads/{lead}:qualify", dated(looked_at))
        converted = self._plot.later(looked_at, 20)
        if converted is not None and self._plot.chance(0.55):
            self._convert(lead, converted)

    def _convert(self, lead: str, converted: datetime) -> None:
        _, _, price = self._plot.one_of(cast.PRODUCTS)
        body = dated(converted, pipeline=PIPELINE, amount=self._plot.price(price))
        deal = self._post(f"/contacts/leads/{lead}:convert", body)["deal_id"]
        self._converted.append((deal, converted))

    # --- deals ---

    def _deals(self) -> None:
        settle(self._transport)
        for deal, converted in self._converted:
            owner = self._ids[self._plot.one_of(cast.SELLERS)]
            self._post(f"/pipeline/deals/{deal}:assign", dated(converted, owner_id=owner))
            self._follow_deal(deal, converted)
        for _ in range(self._size.deals):
            opened = self._plot.moment()
            product, _, price = self._plot.one_of(cast.PRODUCTS)
            body = dated(
                opened,
                pipeline=PIPELINE,
                owner_id=self._ids[self._plot.one_of(cast.SELLERS)],
                customer_id=self._ids[self._plot.one_of(cast.ORGANISATIONS)[0]],
                product_id=self._ids[product],
                source=self._plot.one_of(cast.SOURCES),
                amount=self._plot.price(price),
            )
            self._follow_deal(self._post("/pipeline/deals", body)["id"], opened)
            self._advance(1)

    def _follow_deal(self, deal: str, opened: datetime) -> None:
        moment = opened
        for key, _, _, _ in cast.STAGES[1:]:
            moved = self._plot.later(moment, 25)
            if moved is None:
                return
            moment = moved
            if self._plot.chance(0.3):
                self._lose(deal, moment)
                return
            self._post(f"/pipeline/deals/{deal}:advance", dated(moment, stage=key))
        closed = self._plot.later(moment, 30)
        if closed is None:
            return
        if self._plot.chance(0.65):
            self._post(f"/pipeline/deals/{deal}:win", dated(closed))
        else:
            self._lose(deal, closed)

    def _lose(self, deal: str, moment: datetime) -> None:
        reason = self._plot.one_of(cast.LOST_REASONS)
        self._post(f"/pipeline/deals/{deal}:lose", dated(moment, reason=reason))

    # --- tickets and orders, as files bring them ---

    def _tickets(self) -> None:
        self._import("ticketing", "tickets", ticket_rows(self._plot, self._size, self._ids))
        self._advance(self._size.tickets)

    def _orders(self) -> None:
        self._import("pipeline", "orders", order_rows(self._plot, self._size, self._ids))
        self._advance(self._size.customers)

    def _import(self, context: str, kind: str, rows: Sequence[dict[str, Any]]) -> None:
        for start in range(0, len(rows), _BATCH):
            body = {"source": SOURCE, "rows": rows[start : start + _BATCH]}
            self._post(f"/{context}/imports/{kind}", body)
