"""Customers that files name by a key of their own, with or without a contact record."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from crm_events.ids import derived_id

_KIND: Final = "customer"


class Customers:
    """One source's customers. The same key is the same customer in all of its files."""

    def __init__(self, secret: bytes, source: str) -> None:
        self._secret = secret
        self._source = source
        self._known: dict[str, UUID] = {}

    def id(self, customer_id: UUID | None, customer_key: str | None) -> UUID | None:
        """The id given, else the one of the key; None where a row names nobody."""
        if customer_id is not None or customer_key is None:
            return customer_id
        known = self._known.get(customer_key)
        if known is None:
            known = derived_id(self._secret, self._source, _KIND, customer_key)
            self._known[customer_key] = known
        return known
