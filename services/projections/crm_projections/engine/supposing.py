"""What if: a view under another policy, over the same history; nothing is written."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel, ConfigDict, model_validator
from sqlalchemy import Connection

from crm_projections.engine.evidence import Evident
from crm_projections.engine.view import Answer, Cut

TablesT = TypeVar("TablesT")


class PolicyRefused(Exception):
    """The policy does not fit the history it is asked about; the text says what to change."""


class Policy(BaseModel):
    """What is supposed. Keys that nobody declared are refused with those there are."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _known(cls, given: Any) -> Any:
        names = [field.alias or name for name, field in cls.model_fields.items()]
        unknown = sorted(set(given) - set(names)) if isinstance(given, dict) else []
        if unknown:
            raise ValueError(f"there is no {', '.join(unknown)}; there are: {', '.join(names)}")
        return given


@runtime_checkable
class Supposable(Evident[TablesT], Protocol[TablesT]):
    """A view that can be asked under another policy."""

    @property
    def policy(self) -> type[Policy]: ...

    def suppose(
        self, connection: Connection, tables: TablesT, cut: Cut, parameters: Any, policy: Any
    ) -> Answer:
        """What the view would say at a cut, under an instance of `policy`.

        Raises PolicyRefused.
        """
