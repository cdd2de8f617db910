"""AsyncAPI of each context: its examples, and what lies on a topic, are what it describes."""

from __future__ import annotations

from pathlib import Path

import pytest
from crm_events.catalogue import CATALOGUE, CONTEXTS, context_of
from crm_events.schemas.asyncapi import FOLDER, document_of, out_of_step, write
from crm_events.schemas.check import COMMITTED

from tests.events.contracts.described import described, refusal


def test_committed_documents_are_those_of_the_classes(tmp_path: Path) -> None:
    assert out_of_step() == []
    folder = tmp_path / "asyncapi"
    assert len(out_of_step(folder)) == len(CONTEXTS)
    write(folder)
    assert out_of_step(folder) == []


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_an_example_is_what_its_document_says(name: str) -> None:
    (example,) = described(name)["examples"]
    assert example["headers"]["ce_type"] == name
    assert refusal(name, example["headers"], example["payload"]) is None


def test_what_is_not_described_is_refused() -> None:
    name = "crm.pipeline.DealWon.v1"
    (example,) = described(name)["examples"]
    headers, data = example["headers"], example["payload"]
    assert refusal(name, headers | {"ce_type": "crm.contacts.LeadTagged.v1"}, data)
    assert refusal(name, {k: v for k, v in headers.items() if k != "ce_sequence"}, data)
    assert refusal(name, headers, {k: v for k, v in data.items() if k != "stage"})


@pytest.mark.parametrize("context", CONTEXTS)
def test_every_reference_leads_somewhere(context: str) -> None:
    document = document_of(context)
    messages = document["channels"]["events"]["messages"]
    assert messages.keys() == {name for name in CATALOGUE if context_of(name) == context}
    assert {m["$ref"].rpartition("/")[2] for m in messages.values()} == messages.keys()
    for message in document["components"]["messages"].values():
        payload = FOLDER / message["payload"]["schema"]["$ref"]
        assert payload.resolve().parent == COMMITTED.resolve()
        assert payload.is_file()
