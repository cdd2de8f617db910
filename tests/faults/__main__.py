"""`python -m tests.faults`: run scenarios and seeded bugs, or check a run that was saved."""

from __future__ import annotations

import argparse
import logging
import secrets
import sys
import time
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import structlog
from crm_servers import ServerUnavailable

from tests.faults.catalogue import NEVER, SCENARIOS, NoSuchScenario, Scenario, chosen
from tests.faults.evidence import NoEvidence, load
from tests.faults.ground import Ground, ground
from tests.faults.invariants import check
from tests.faults.report import RESULTS, ROOT, RUNS, NothingMeasured, Report, document, verdicts
from tests.faults.soak import soak

_OK, _VIOLATED, _WRONG_USE = 0, 1, 2


def main(argv: Sequence[str]) -> int:
    """0 where everything holds, 1 where something does not, 2 for wrong use."""
    told = _parser().parse_args(argv)
    _quieten()
    try:
        if told.command == "check":
            return _check(told.folder)
        if told.document:
            document()
            return _OK
        if told.command == "soak":
            return _soak(told)
        return _run(told)
    except (NoSuchScenario, NoEvidence, NothingMeasured) as error:
        return _said(str(error), _WRONG_USE)
    except ServerUnavailable as error:
        return _said(str(error), _VIOLATED)


def _quieten() -> None:
    """Clients would tell of every connection that a fault cuts."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    for name in ("aiokafka", "asyncio", "httpx"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--long", action="store_true", help="every scenario, 300 kills and more")
    parser.add_argument("--seed", type=int, help="gives the whole schedule; by chance without it")
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="a scenario; repeatable"
    )
    parser.add_argument("--document", action="store_true", help="write the last run into docs")
    commands = parser.add_subparsers(dest="command")
    checking = commands.add_parser("check", help="check the invariants on a run that was saved")
    checking.add_argument("folder", type=Path)
    soaking = commands.add_parser("soak", help="kills at random moments for so long")
    soaking.add_argument("minutes", type=float)
    return parser


def _said(message: str, code: int) -> int:
    print(f"faults: {message}", file=sys.stderr)
    return code


def _check(folder: Path) -> int:
    found = check(load(folder))
    print(verdicts(found))
    return _VIOLATED if any(verdict.violated for verdict in found.values()) else _OK


def _run(told: argparse.Namespace) -> int:
    scenarios = chosen(told.only, long=told.long)
    report = Report(_seed(told))
    _leave_out(report, scenarios, long=told.long)
    began = time.monotonic()
    with ground(RUNS) as place:
        for scenario in scenarios:
            if scenario.name not in report.not_run:
                _try(scenario, place, report, long=told.long)
    report.write()
    if not told.only:
        _try_bugs(report)
    return _finished(report, began)


def _seed(told: argparse.Namespace) -> int:
    seed: int = secrets.randbelow(1 << 32) if told.seed is None else told.seed
    print(f"faults: seed {seed}", file=sys.stderr, flush=True)
    return seed


def _leave_out(report: Report, scenarios: Sequence[Scenario], *, long: bool) -> None:
    report.not_run.update(NEVER)
    for scenario in scenarios:
        if (why := scenario.needs()) is not None:
            report.not_run[scenario.name] = why
    if not long:
        rest = [s for s in SCENARIOS if s not in scenarios]
        report.not_run.update({s.name: "not in this run; make faults LONG=1 has it" for s in rest})


def _try(scenario: Scenario, place: Ground, report: Report, *, long: bool) -> None:
    """One that comes to no verdict keeps no other from being run, and is a failure."""
    print(f"{scenario.name}", file=sys.stderr, flush=True)
    began = time.monotonic()
    try:
        outcome = scenario.run(place, report.seed, long=long)
    except Exception as error:  # noqa: BLE001 (told, and the run fails)
        report.failed[scenario.name] = f"{type(error).__name__}: {error}"
        traceback.print_exc()
        _mend(place)
        return
    outcome.seconds = time.monotonic() - began
    report.outcomes.append(outcome)
    print(f"  {outcome.seconds:.0f} s, {outcome.violated} violations", file=sys.stderr, flush=True)


def _mend(place: Ground) -> None:
    """Whatever the scenario left of the servers, the next one finds them."""
    for server in (place.kafka, place.postgres):
        server.start()


def _try_bugs(report: Report) -> None:
    """The harness is tried on bugs that were put in on purpose: it has to see each."""
    bugs: Any = import_module("tests.faults.bugs")
    print("bugs that were put in on purpose", file=sys.stderr, flush=True)
    for bug in bugs.BUGS:
        report.bugs.append((bug.name, _caught(bugs, bug)))


def _caught(bugs: Any, bug: Any) -> bool:
    """A bug that cannot be tried is not caught; why, is told."""
    try:
        found: bool = bugs.caught(bug)
    except Exception:  # noqa: BLE001 (told, and the run fails)
        traceback.print_exc()
        return False
    return found


def _soak(told: argparse.Namespace) -> int:
    report, began = Report(_seed(told)), time.monotonic()
    with ground(RUNS) as place:
        report.outcomes.append(soak(place, report.seed, told.minutes))
    return _finished(report, began)


def _finished(report: Report, began: float) -> int:
    report.write()
    print(f"\n{report.table()}\n")
    seconds = time.monotonic() - began
    print(f"seed {report.seed}, {report.kills} kills, {seconds:.0f} s", end="; ")
    print(f"wrote {RESULTS.relative_to(ROOT)}, evidence in {RUNS.relative_to(ROOT)}")
    if not report.holds:
        print(f"repeat it with SEED={report.seed}", file=sys.stderr)
    return _OK if report.holds else _VIOLATED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
