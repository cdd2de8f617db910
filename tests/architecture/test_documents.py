"""What the documents point at is there: a moved file makes a recipe wrong on the same day."""

import configparser
import re
from pathlib import Path

import pytest

from tests.architecture.checks import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
DECISIONS = sorted((ROOT / "docs/adr").glob("[0-9]*.md"))
PLACE = re.compile(r"`((?:libs|services|tests|deploy|docs|requirements|\.ci)/[\w./*-]+)`")
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
# The recipe for a new view walks through one that does not exist.
EXAMPLES = re.compile(r"views/sources/")

TARGETS = ("help", "install", "run", "test", "lint", "bench", "up", "down", "clean")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_places_named_in_a_document_exist(document: Path) -> None:
    named = [place for place in PLACE.findall(document.read_text()) if not EXAMPLES.search(place)]
    assert [place for place in named if not list(ROOT.glob(place.rstrip("/")))] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_of_a_document_lead_somewhere(document: Path) -> None:
    links = LINK.findall(document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_decision_names_the_check_that_holds_it(decision: Path) -> None:
    held = decision.read_text().partition("## Held by")[2]
    assert PLACE.search(held) or "`.importlinter`" in held
    quoted = set(re.findall(r'[Ii]mport contract "([^"]+)"', held))
    assert quoted <= contract_names()


def test_every_decision_is_listed() -> None:
    listed = (ROOT / "docs/adr/README.md").read_text()
    assert [path.name for path in DECISIONS if f"({path.name})" not in listed] == []


@pytest.mark.parametrize("target", TARGETS)
def test_make_help_lists_the_targets_that_stay(target: str) -> None:
    assert re.search(rf"^{target}:.* ## ", (ROOT / "Makefile").read_text(), re.MULTILINE)


def contract_names() -> set[str]:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    return {section["name"] for section in contracts.values() if "name" in section}
