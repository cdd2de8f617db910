"""However long a log is, checking it holds a few pages of it."""

from __future__ import annotations

import gc
import tracemalloc

from tests.events.audit.sealing import Desk

_SHORT, _LONG = 4_500, 45_000
_AT_ONCE = 1_500


def _grown(desk: Desk, start: int, end: int) -> None:
    for written in range(start, end, _AT_ONCE):
        desk.write(_AT_ONCE, written)
    while desk.notary.take_in().events:  # up to where the log is known to be complete, in steps
        pass
    assert desk.log.head().size == end


def _peak(desk: Desk) -> int:
    """Bytes that the check of the whole log holds at most."""
    gc.collect()
    tracemalloc.start()
    try:
        part = desk.check(limit=20_000)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        assert part.done


def test_checking_ten_times_as_much_holds_no_more_memory(desk: Desk) -> None:
    _grown(desk, 0, _SHORT)
    desk.check()  # what is made once is there by now
    short = _peak(desk)
    _grown(desk, _SHORT, _LONG)
    assert _peak(desk) < short * 1.1
