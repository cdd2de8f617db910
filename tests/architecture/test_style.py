"""What ruff forbids here is forbidden where it matters, and allowed to its owner."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.checks import ROOT

DOMAIN = "services/contacts/crm_contacts/domain/lead.py"
TEST = "tests/contacts/unit/test_lead.py"
SETTINGS = "services/contacts/crm_contacts/settings.py"

BANNED = "TID251"
CLOCK = "from datetime import UTC, datetime\n\nnow = datetime.now(UTC)\n"
ENVIRONMENT = "import os\n\nhome = os.environ['HOME']\n"
TANGLED = (
    "def decide(n: int) -> int:\n"
    + "".join(f"    if n == {i}:\n        n += 1\n" for i in range(8))
    + "    return n\n"
)


def broken(place: str, code: str) -> set[str]:
    """The rules that this code breaks when it stands at this place."""
    ruff = str(Path(sys.executable).with_name("ruff"))
    report = subprocess.run(
        [ruff, "check", "--no-cache", "--output-format=json", f"--stdin-filename={place}", "-"],
        cwd=ROOT,
        input=code,
        check=False,
        capture_output=True,
        text=True,
    )
    return {complaint["code"] for complaint in json.loads(report.stdout)}


@pytest.mark.parametrize(
    "code",
    [
        CLOCK,
        ENVIRONMENT,
        "import time\n\nnow = time.time()\n",
        "import uuid\n\nid = uuid.uuid4()\n",
        "from uuid6 import uuid7\n\nid = uuid7()\n",
        "import random\n\nluck = random.random()\n",
    ],
    ids=["clock", "environment", "time", "uuid4", "uuid7", "chance"],
)
def test_domain_is_told_and_never_asks(code: str) -> None:
    assert BANNED in broken(DOMAIN, code)


def test_settings_may_read_the_environment() -> None:
    assert broken(SETTINGS, ENVIRONMENT) == set()


@pytest.mark.parametrize(
    "code",
    ["from unittest.mock import patch\n\npatch\n", "import time\n\ntime.sleep(1)\n"],
    ids=["patching", "sleeping"],
)
def test_tests_neither_patch_nor_sleep(code: str) -> None:
    assert BANNED in broken(TEST, code)


def test_product_code_does_not_assert() -> None:
    assert "S101" in broken(DOMAIN, "assert 1 + 1 == 2\n")
    assert "S101" not in broken(TEST, "assert 1 + 1 == 2\n")


def test_complexity_over_eight_is_refused() -> None:
    assert "C901" in broken(DOMAIN, TANGLED)
