"""A follower that misses, repeats or reorders an event is found out."""

from __future__ import annotations

import pytest

from tests.bench.following import Follower, compared
from tests.bench.measuring import NotDone
from tests.bench.threads import sustained


def test_everything_once_and_in_order_is_a_proof() -> None:
    assert "0 gaps" in compared([1, 2, 5], [1, 2, 5])


@pytest.mark.parametrize("seen", [[1, 5], [1, 2, 2, 5], [2, 1, 5], [1, 2, 5, 6]])
def test_anything_else_is_none(seen: list[int]) -> None:
    with pytest.raises(NotDone):
        compared(seen, [1, 2, 5])


def test_a_follower_reads_to_the_end_before_it_leaves() -> None:
    log: list[int] = []

    def read(after: int) -> tuple[list[int], int]:
        page = [position for position in list(log) if position > after][:3]
        return page, page[-1] if page else after

    follower = Follower(read, 0)
    with follower.following():
        log.extend(range(1, 11))
    assert follower.seen == log


def test_an_error_of_a_follower_is_raised() -> None:
    def read(_: int) -> tuple[list[int], int]:
        raise NotDone("broken")

    with pytest.raises(NotDone, match="broken"), Follower(read, 0).following():
        pass


def test_an_error_of_a_caller_is_raised() -> None:
    def broken() -> None:
        raise NotDone("broken")

    with pytest.raises(NotDone, match="broken"):
        sustained(broken, 2, 0.01)
