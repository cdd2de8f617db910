"""Every benchmark, in the order they run."""

from __future__ import annotations

from typing import Final

from tests.bench.appends import APPENDS
from tests.bench.commanding import COMMANDING
from tests.bench.floors import FLOOR
from tests.bench.freshness import FRESHNESS
from tests.bench.importing import IMPORTING
from tests.bench.listing import LISTING, SPREAD
from tests.bench.measuring import Bench
from tests.bench.projecting import PROJECTING
from tests.bench.rebuilding import REBUILDING
from tests.bench.recovering import RECOVERING
from tests.bench.relaying import RELAYING
from tests.bench.rivals import RIVALS
from tests.bench.taxed import TAXED

BENCHES: Final[tuple[Bench, ...]] = (
    COMMANDING,
    FLOOR,
    *APPENDS,
    RELAYING,
    *PROJECTING,
    *REBUILDING,
    FRESHNESS,
    RECOVERING,
    LISTING,
    SPREAD,
    *TAXED,
    IMPORTING,
    *RIVALS,
)
