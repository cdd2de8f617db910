"""Every benchmark, in the order they run."""

from __future__ import annotations

from typing import Final

from tests.bench.appends import APPENDS
from tests.bench.commanding import COMMANDING
from tests.bench.freshness import FRESHNESS
from tests.bench.importing import IMPORTING
from tests.bench.measuring import Bench
from tests.bench.projecting import PROJECTING
from tests.bench.relaying import RELAYING

BENCHES: Final[tuple[Bench, ...]] = (
    COMMANDING,
    *APPENDS,
    RELAYING,
    *PROJECTING,
    FRESHNESS,
    IMPORTING,
)
