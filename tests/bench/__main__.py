"""`python -m tests.bench`: run the benchmarks, or write what was measured into the document."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Sequence
from functools import partial

import structlog
from crm_servers import ServerUnavailable
from crm_service.collector import spare_the_collector

from tests.bench import report
from tests.bench.catalogue import BENCHES
from tests.bench.ground import Ground, ground
from tests.bench.growth import picture, running
from tests.bench.instants import asking
from tests.bench.measuring import Bench, Figures, NotDone, chosen, figures, interleaved
from tests.bench.profiling import Profiles

_FAILED, _WRONG_USE = 1, 2


def main(argv: Sequence[str]) -> int:
    """0 whatever the figures; 1 where something was not done, 2 for wrong use."""
    told = _parser().parse_args(argv)
    spare_the_collector()
    _quieten()
    try:
        if told.document:
            return _document()
        if told.growth or told.picture or told.instants:
            return _grown(told)
        if told.profile:
            return _profile(chosen(BENCHES, told.profile), quick=told.quick)
        rounds = told.rounds or (2 if told.quick else 5)
        return _run(chosen(BENCHES, told.only), rounds, quick=told.quick)
    except (LookupError, report.NothingMeasured) as error:
        return _said(str(error.args[0]), _WRONG_USE)
    except (ServerUnavailable, NotDone) as error:
        return _said(str(error), _FAILED)


def _quieten() -> None:
    """Rounds make topics and cut producers off all the time; clients would tell of each."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    for name in ("aiokafka", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=_positive, help="of each benchmark (5; 2 with --quick)")
    parser.add_argument(
        "--only", action="append", default=[], metavar="ID", help="R2 is R2-1, R2-8 ...; repeatable"
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that all works")
    parser.add_argument(
        "--profile",
        action="append",
        default=[],
        metavar="ID",
        help="one round of our side alone, and where its time went",
    )
    parser.add_argument(
        "--document", action="store_true", help=f"write {report.RESULTS.name} into the document"
    )
    growing = parser.add_argument_group("how cost grows, instead of the benchmarks")
    growing.add_argument("--growth", action="store_true", help="measure ever larger histories")
    growing.add_argument(
        "--instants", action="store_true", help="each view as of fifty instants, over --most events"
    )
    growing.add_argument("--most", type=_positive, default=1_000_000, help="events (1,000,000)")
    growing.add_argument("--minutes", type=_positive, default=90, help="at most, about (90)")
    growing.add_argument("--picture", action="store_true", help="draw what --growth measured")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("give 1 or more")
    return number


def _said(message: str, code: int) -> int:
    print(f"bench: {message}", file=sys.stderr)
    return code


def _document() -> int:
    report.document(measured=report.markdown(report.read(), BENCHES))
    print(f"wrote {report.DOCUMENT.relative_to(report.ROOT)}")
    return 0


def _grown(told: argparse.Namespace) -> int:
    if told.instants:
        asking.run(told.most, quick=told.quick)
    if told.growth:
        running.run(told.most, told.minutes, quick=told.quick)
    if told.picture:
        sizes = running.read()
        picture.draw()
        report.document(measured=picture.markdown(sizes), place="growth")
        print(f"drew {picture.PICTURE.relative_to(report.ROOT)} and its table in the document")
    return 0


def _run(benches: Sequence[Bench], rounds: int, *, quick: bool) -> int:
    """What one benchmark could not do keeps no other from being measured and written down."""
    started = time.monotonic()
    with ground(quick=quick) as place:
        found = [_measured(bench, place, rounds) for bench in benches]
    results = [each for each in found if each is not None]
    report.write(results)
    print(f"\n{report.table(results, benches)}\n")
    seconds = time.monotonic() - started
    print(f"wrote {report.RESULTS.relative_to(report.ROOT)} after {seconds:.0f} s")
    return 0 if len(results) == len(benches) else _FAILED


def _profile(benches: Sequence[Bench], *, quick: bool) -> int:
    """Profiling slows Python down several times over: its figures are shares, never rates."""
    with ground(quick=quick) as place:
        for bench in benches:
            print(f"\n{bench.id}: {bench.name}", flush=True)
            with bench.open(place) as sides:
                sides.before()
                sides.ours()
                profiles = Profiles()
                sides.before()
                with profiles.watching():
                    sides.ours()
                proof = sides.proof()
            profiles.tell()
            print(proof, flush=True)
    return 0


def _measured(bench: Bench, place: Ground, rounds: int) -> Figures | None:
    print(f"\n{bench.id}: {bench.name}", flush=True)
    rounds = bench.rounds(rounds)
    try:
        with bench.open(place) as sides:
            found = interleaved(sides, rounds, partial(_tell, bench, rounds))
            if proof := sides.proof():
                print(f"  {proof}", flush=True)
        return figures(bench, found)
    except NotDone as error:
        _said(f"{bench.id}: {error}", _FAILED)
        return None


def _tell(bench: Bench, rounds: int, number: int, ours: float, baseline: float) -> None:
    sides = f"baseline {report.shown(baseline)}, ours {report.shown(ours)} {bench.unit}"
    ratio = "" if baseline <= 0 else f", ratio {ours / baseline:.3g}"
    print(f"  round {number} of {rounds}: {sides}{ratio}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
