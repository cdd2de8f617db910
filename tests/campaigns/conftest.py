from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from crm_campaigns import bootstrap
from crm_service.hosting import Storage

from tests.support.contexts import Running, running, stored


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    with stored(tmp_path, "campaigns") as storage:
        yield storage


@pytest.fixture
async def campaigns(storage: Storage) -> AsyncIterator[Running]:
    async with running(bootstrap.build, storage) as campaigns:
        yield campaigns
