"""An amount as JSON by a statement: as `amounts.money` has it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, Text, case, cast, func, literal

from crm_projections.engine.sql_json import NULL, Json, joined, object_json, text_json, word

_WHOLE: Final = literal(10_000, literal_execute=True)
_NONE: Final = literal(0, literal_execute=True)


def money_json(units: ColumnElement[int | None], currency: ColumnElement[str | None]) -> Json:
    """Of ten-thousandths and their currency; `null` where there is no amount."""
    money = {"amount": _decimal(units), "currency": text_json(func.coalesce(currency, word("")))}
    return case((units.is_(None), NULL), else_=object_json(money))


def _decimal(units: ColumnElement[int | None]) -> Json:
    """Without needless zeros. Of digits, for the one number without a positive counterpart."""
    sign = case((units < _NONE, word("-")), else_=word(""))
    rest = func.abs(units % _WHOLE)
    places = func.rtrim(func.substr(cast(_WHOLE + rest, Text), _TWO), word("0"))
    fraction = case((rest == _NONE, word("")), else_=word(".") + places)
    whole = cast(func.abs(units // _WHOLE), Text)
    return joined(word('"'), sign, whole, fraction, word('"'))


_TWO: Final = literal(2, literal_execute=True)
