"""What is said of a whole file, and amounts of its rows that leave out their currency."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, TypeVar

from crm_events.domain import DomainError
from crm_events.event import Money
from pydantic import ValidationError

from crm_service.importing.protocol import ImportIn, first_of
from crm_service.schemas import Body
from crm_service.settings import Currency

S = TypeVar("S", bound="Options")


class OptionsRefused(DomainError):
    """What is said of a whole file does not fit; nothing of it is imported."""

    slug: ClassVar[str] = "import-options"


class Options(Body):
    """What is said of a whole file. `currency` is that of amounts that name none."""

    currency: Currency | None = None


def options_of(kind: type[S], request: ImportIn) -> S:
    """The request's options. Raises OptionsRefused where they make no sense."""
    try:
        return kind.model_validate(request.options)
    except ValidationError as error:
        wrong = first_of(error)
        raise OptionsRefused(f"The option {wrong.column} does not fit: {wrong}.") from None


def money(amount: Decimal | None, currency: str | None, default: str) -> Money | None:
    """None where the row gives no amount."""
    return None if amount is None else Money(amount=amount, currency=currency or default)
