"""The one way in on PostgreSQL."""

from typing import Final

APPEND_FUNCTION: Final = ""
