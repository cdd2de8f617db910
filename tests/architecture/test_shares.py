"""What several workers are given: nothing that is shared is taken apart."""

from pathlib import Path

from tests.architecture.checks import ROOT
from tests.support.shares import share_of

E2E = sorted(ROOT.glob("tests/e2e/test_*.py"))


def test_a_file_stays_whole() -> None:
    shares = {share_of(f"tests/views/test_a.py::test_it[{case}]") for case in ("x", "a::b", "@c")}
    assert shares == {"tests/views/test_a.py"}
    assert share_of("tests/views/test_b.py::test_it") not in shares


def test_who_shares_a_deployment_is_in_one_piece() -> None:
    shares = {share_of(f"{file.relative_to(ROOT)}::test_it") for file in E2E}
    assert (len(shares), len(E2E) > 5) == (1, True)


def test_nobody_else_starts_a_deployment_for_its_tests() -> None:
    others = [p for p in ROOT.glob("tests/**/test_*.py") if p not in E2E and p != Path(__file__)]
    assert [str(p) for p in others if "tests.e2e.conftest" in p.read_text()] == []
