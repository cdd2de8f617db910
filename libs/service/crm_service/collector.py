"""How seldom a process that handles batches looks around for garbage; imports nothing heavy."""

from __future__ import annotations

import gc
from typing import Final

_BETWEEN_LOOKS: Final = 20_000


def spare_the_collector() -> None:
    """For when everything is imported: what is there by now stays, and need not be looked through.

    By default the garbage collector looks around every 700 objects, several times within one batch
    of events; that took a third of an import's time.
    """
    gc.freeze()
    gc.enable()
    gc.set_threshold(_BETWEEN_LOOKS, 20, 20)
