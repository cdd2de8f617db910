"""Figures of a journal: how soon an API that was killed is back, and at what rate."""

from __future__ import annotations

from tests.faults.evidence import Operation
from tests.faults.measuring import apis_back


def answered(
    *ends: float, context: str = "contacts", took: float = 0.1, repeated: bool = False
) -> list[Operation]:
    """Commands that were answered at these seconds."""
    return [
        Operation(
            str(end),
            "capture",
            "ok",
            due=end - took,
            began=end - took,
            ended=end,
            context=context,
            repeated=repeated,
        )
        for end in ends
    ]


def every_second(start: int, end: int) -> list[Operation]:
    return answered(*(second + 0.5 for second in range(start, end)))


def test_waiting_and_rate_of_an_api_that_came_back() -> None:
    operations = [*every_second(0, 10), *every_second(12, 30)]
    figures = apis_back(operations, [(10.0, "contacts-api")])
    assert figures == {
        "apis_killed_alone": 1,
        "api_back_median_seconds": 2.5,
        "api_back_p95_seconds": 2.5,
        "api_back_slowest_seconds": 2.5,
        "api_asked_after_5_s": 5,
        "api_rate_after_5_s_percent": 100.0,
    }


def test_rate_that_did_not_come_back_is_seen() -> None:
    """Of five commands that were due, one was answered: two waited, two had to be sent again."""
    late = [*answered(19.0, 20.0, took=3.0), *answered(17.5, 18.5, repeated=True)]
    operations = [*every_second(0, 10), *answered(17.0), *late]
    found = apis_back(operations, [(10.0, "contacts-api")])
    assert found["api_rate_after_5_s_percent"] == 20.0


def test_fewer_commands_are_no_lower_rate() -> None:
    operations = [*every_second(0, 10), *answered(17.0)]
    found = apis_back(operations, [(10.0, "contacts-api")])
    assert (found["api_asked_after_5_s"], found["api_rate_after_5_s_percent"]) == (1, 100.0)


def test_kills_that_trouble_each_other_are_left_out() -> None:
    operations = every_second(0, 30)
    for other in ("contacts-api", "postgres"):
        found = apis_back(operations, [(10.0, "contacts-api"), (14.0, other)])
        assert found["apis_killed_alone"] == 0
        assert found["api_rate_after_5_s_percent"] is None
    for other in ("pipeline-relay", "projections-api"):
        found = apis_back(operations, [(10.0, "contacts-api"), (14.0, other)])
        assert found["apis_killed_alone"] == 1


def test_answer_that_was_on_its_way_is_not_back() -> None:
    operations = [*every_second(0, 10), *answered(10.05), *every_second(12, 30)]
    found = apis_back(operations, [(10.0, "contacts-api")])
    assert found["api_back_slowest_seconds"] == 2.5
