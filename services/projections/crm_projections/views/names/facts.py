"""The table of names: one row for each thing, with its name as it is now."""

from __future__ import annotations

from typing import Final, Literal, get_args

from sqlalchemy import Column, MetaData, Table, Text

Kind = Literal["staff", "organisation", "person", "product", "campaign", "pipeline", "stage"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""All there are: rows are found by their kind and their id."""


def names_table(metadata: MetaData, suffix: str) -> Table:
    """`key` is the stable key of a pipeline or stage, `parent` the id of a stage's pipeline.

    `name` is None where it was personal and its subject has been erased.
    """
    return Table(
        f"names_name{suffix}",
        metadata,
        Column("kind", Text, primary_key=True),
        Column("id", Text, primary_key=True),
        Column("parent", Text),
        Column("key", Text),
        Column("name", Text),
    )
