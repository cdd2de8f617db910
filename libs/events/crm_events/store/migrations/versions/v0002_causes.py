"""What led to an event and what it led to: events by their id and by their correlation.

Ids and correlations are made in order of time, so both indexes grow at their right edge.
"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index("events_id", "events", ["event_id"])
    op.create_index("events_correlation", "events", ["correlation_id", "position"])
