from pathlib import Path

import pytest

from tests.console.importing.files import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)
