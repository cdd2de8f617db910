"""A job that begins before its database can be reached: it waits, says for what, and gives up."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event
from typing import Final

import psycopg
import structlog

PATIENCE: Final = 30.0
_AGAIN: Final = 0.5
_log = structlog.get_logger("crm.store")


class OutOfReach(Exception):
    """A database did not answer for all that time, or does not let this process in."""


def once_reached(work: Callable[[], None], patience: float = PATIENCE) -> None:
    """Do what may be done twice, again while its database cannot be reached, for `patience`
    seconds. Raises OutOfReach, and whatever else the work does."""
    deadline = time.monotonic() + patience
    waiting = False
    while True:
        try:
            return work()
        except Exception as error:
            if not _is_out_of_reach(error):
                raise
            if "authentication failed" in str(error):
                raise OutOfReach(_REFUSED) from error
            if time.monotonic() >= deadline:
                raise OutOfReach(f"no database answered for {patience:g} s; {_SEE}") from error
        if not waiting:
            waiting = True
            _log.warning("waits_for_database", seconds=patience, see=_SEE)
        Event().wait(_AGAIN)


def _is_out_of_reach(error: Exception) -> bool:
    """SQLAlchemy raises an error of its own because of the driver's."""
    return any(isinstance(each, psycopg.OperationalError) for each in (error, error.__cause__))


_SEE: Final = "see CRM_POSTGRES and CRM_KEYS."
_REFUSED: Final = (
    "a database refuses the password it is given in CRM_POSTGRES or CRM_KEYS: it was made with "
    "another one. After `make up`, bring back the folder .crm-up that the data was made with, or "
    "remove the data as well, to begin anew."
)
