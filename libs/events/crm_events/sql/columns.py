"""Column types that differ between the two databases; used by migrations only."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

ID = sa.LargeBinary(16).with_variant(postgresql.UUID(), "postgresql")
INSTANT = sa.Integer().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
POSITION = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
SMALL = sa.Integer().with_variant(sa.SmallInteger(), "postgresql")
