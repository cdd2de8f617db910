"""Bugs that are put into the product on purpose, one at a time: an invariant has to see each.

`python -m tests.faults` tries them all, and so does every test run. A harness that is green proves
something only where it is known to turn red.
"""

from __future__ import annotations

from typing import Final

from tests.faults.bugs import apart, in_audit, in_stores, in_transport, in_views
from tests.faults.bugs.bug import Bug, Catch, DoesNotApply, catch, caught

__all__ = ["BUGS", "Bug", "Catch", "DoesNotApply", "catch", "caught"]

BUGS: Final[tuple[Bug, ...]] = (
    *in_views.BUGS,
    *in_transport.BUGS,
    *in_stores.BUGS,
    *apart.BUGS,
    *in_audit.BUGS,
)
