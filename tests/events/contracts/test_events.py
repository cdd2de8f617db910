"""What every event class promises: names that stay, facts that do not change, marks that seal."""

from __future__ import annotations

import re
from typing import Annotated, get_args
from uuid import UUID

import pytest
from crm_events.catalogue import CATALOGUE, CONTEXTS, context_of
from crm_events.contracts import campaigns, contacts, pipeline, ticketing
from crm_events.contracts.contacts import LeadCaptured, LeadTagged, PersonRegistered
from crm_events.contracts.ticketing import FeedbackReceived
from crm_events.event import SELF, Event, Money, Personal, Text, Value, personal_fields
from pydantic import ValidationError

MODULES = {
    "contacts": contacts,
    "pipeline": pipeline,
    "ticketing": ticketing,
    "campaigns": campaigns,
}


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_name_says_context_event_and_version(name: str) -> None:
    found = re.fullmatch(r"crm\.(\w+)\.([A-Z]\w*?)\.v(\d+)", name)
    assert found is not None
    context, event, version = found.groups()
    assert context == context_of(name)
    assert CATALOGUE[name].__name__ in (event, f"{event}V{version}")
    assert CATALOGUE[name].__module__ == MODULES[context].__name__


def test_every_event_of_every_context_is_in_the_catalogue() -> None:
    assert tuple(MODULES) == CONTEXTS
    declared = {
        value
        for module in MODULES.values()
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Event) and "TYPE" in vars(value)
    }
    assert declared == set(CATALOGUE.values())
    assert len(CATALOGUE) == len(declared)


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_subject_of_a_personal_field_is_an_id_beside_it(name: str) -> None:
    kind = CATALOGUE[name]
    for field in personal_fields(kind):
        if field.subject != SELF:
            subject = kind.model_fields[field.subject].annotation
            assert UUID in {subject, *get_args(subject)}


def test_personal_fields_are_those_marked() -> None:
    assert [f.name for f in personal_fields(LeadCaptured)] == ["name", "email", "phone", "company"]
    assert {f.subject for f in personal_fields(LeadCaptured)} == {"person_id"}
    assert {f.subject for f in personal_fields(PersonRegistered)} == {SELF}
    assert [(f.name, f.subject) for f in personal_fields(FeedbackReceived)] == [
        ("content", "customer_id")
    ]
    assert personal_fields(LeadTagged) == ()


def test_facts_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        LeadTagged(tag="vip").tag = "other"  # type: ignore[misc]


def test_producer_cannot_write_undeclared_fields() -> None:
    with pytest.raises(ValidationError, match="extra_forbidden"):
        LeadTagged.model_validate({"tag": "vip", "colour": "red"})


@pytest.mark.parametrize(
    "amount", ["1.00001", "123456789012345", "NaN", "Infinity", "-Infinity", "", "1,5"]
)
def test_amount_that_is_not_exact_is_refused(amount: str) -> None:
    with pytest.raises(ValidationError):
        Money.model_validate({"amount": amount, "currency": "EUR"})


@pytest.mark.parametrize("currency", ["eur", "EURO", "€", "EU", "EUR\n"])
def test_currency_that_is_no_iso_code_is_refused(currency: str) -> None:
    with pytest.raises(ValidationError):
        Money.model_validate({"amount": "1", "currency": currency})


def test_refusal_does_not_tell_the_value() -> None:
    with pytest.raises(ValidationError) as refused:
        PersonRegistered.model_validate({"name": ["a secret name"]})
    assert "a secret name" not in str(refused.value)


def test_mark_inside_an_optional_is_refused() -> None:
    with pytest.raises(TypeError, match=r"PersonSpoke\.words: mark the whole field"):

        class PersonSpoke(Event, context="contacts"):
            words: Annotated[Text, Personal()] | None = None


def test_mark_inside_a_list_is_refused() -> None:
    with pytest.raises(TypeError, match="mark the whole field"):

        class PersonSpoke(Event, context="contacts"):
            words: tuple[Annotated[str, Personal()], ...] = ()


class Address(Value):
    street: Annotated[Text | None, Personal()] = None


def test_mark_inside_a_part_is_refused() -> None:
    with pytest.raises(TypeError, match=r"PersonMoved\.to: mark the whole field"):

        class PersonMoved(Event, context="contacts"):
            to: Address | None = None


def test_personal_field_that_cannot_be_blank_is_refused() -> None:
    with pytest.raises(TypeError, match="is a text or None"):

        class PersonNamed(Event, context="contacts"):
            name: Annotated[Text, Personal()]


def test_personal_field_that_is_no_text_is_refused() -> None:
    with pytest.raises(TypeError, match="is a text or None"):

        class PersonAged(Event, context="contacts"):
            age: Annotated[int | None, Personal()] = None
