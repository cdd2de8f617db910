from __future__ import annotations

import pytest
from crm_events.codec import Codec

from tests.support.keys import KeysInMemory


@pytest.fixture
def keys() -> KeysInMemory:
    return KeysInMemory()


@pytest.fixture
def codec(keys: KeysInMemory) -> Codec:
    return Codec(keys)
