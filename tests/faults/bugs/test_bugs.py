"""The harness sees every bug that is put in on purpose, and nothing where there is none."""

from __future__ import annotations

from collections import Counter

import pytest
from crm_projections.engine import position

from tests.architecture.checks import ROOT
from tests.faults.bugs import BUGS, Bug, DoesNotApply, catch
from tests.faults.bugs.bug import instead, rewritten
from tests.faults.invariants import INVARIANTS


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_bug_is_caught_and_the_same_run_without_it_is_clean(bug: Bug) -> None:
    found = catch(bug)
    assert found.scenario is not None, f"{bug.invariant} does not see: {bug.what}"
    assert found.without == (), "the invariants that the same run breaks without the bug"


def test_names_are_given_once_and_invariants_exist() -> None:
    assert [name for name, count in Counter(bug.name for bug in BUGS).items() if count > 1] == []
    assert {bug.invariant for bug in BUGS} <= set(INVARIANTS)


def test_what_is_replaced_is_put_back() -> None:
    real = vars(position)["advance"]
    with instead(position, "advance", lambda _: None)():
        assert vars(position)["advance"] is None
    assert vars(position)["advance"] is real


def test_bug_that_does_not_apply_is_an_error() -> None:
    with pytest.raises(DoesNotApply, match="has no nothing any more"):
        instead(position, "nothing", lambda real: real)().__enter__()
    with pytest.raises(DoesNotApply, match="does not say 'nothing' any more"):
        rewritten(position, "__name__", "nothing", "")().__enter__()


def test_document_lists_every_bug_with_its_invariant() -> None:
    listed = (ROOT / "docs/faults.md").read_text()
    missing = [b.name for b in BUGS if f"| {b.name} | {b.what} | {b.invariant} |" not in listed]
    assert missing == []
