"""What each of several workers is given: whole files, whose tests share what they started, and
everything that shares the deployments in one piece. The largest pieces are begun first."""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

TOGETHER = "tests/e2e/"


def share_of(test: str) -> str:
    """Tests with the same answer run in one worker, in the order in which they were collected."""
    file = test.partition("::")[0]
    return TOGETHER if file.startswith(TOGETHER) else file


class Shares(LoadFileScheduling):  # type: ignore[misc]
    def _split_scope(self, nodeid: str) -> str:
        return share_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Shares:
    return Shares(config, log)
