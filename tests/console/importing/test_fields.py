import pytest
from crm_console.importing import KINDS, describe
from crm_console.importing.fields.field import FieldType, Kind, folded_header

kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def headers(kind: Kind) -> list[tuple[str, str]]:
    """Every header of a kind, folded, with its field."""
    return [
        ("+".join(map(folded_header, header.split("+"))), field.name)
        for field in kind.fields
        for header in dict.fromkeys((field.name, field.chinese, *field.synonyms))
    ]


@kinds
def test_no_header_means_two_fields(kind: Kind) -> None:
    owners: dict[str, set[str]] = {}
    for header, field in headers(kind):
        owners.setdefault(header, set()).add(field)
    assert {header: fields for header, fields in owners.items() if len(fields) > 1} == {}


@kinds
def test_every_kind_has_a_key_and_its_needs_are_fields(kind: Kind) -> None:
    names = {field.name for field in kind.fields}
    assert len(names) == len(kind.fields)
    assert "key" in names
    assert names.issuperset(kind.one_of)
    assert kind.named_by is None or kind.named_by in names
    assert kind.one_of or any(field.required for field in kind.fields)


@kinds
def test_an_amount_has_its_currency_beside_it(kind: Kind) -> None:
    types = [field.type for field in kind.fields]
    assert types.count(FieldType.MONEY) == types.count(FieldType.CURRENCY) <= 1
    assert types.count(FieldType.KEY) == 1
    assert types.count(FieldType.STAGE) <= 1


@kinds
def test_description_speaks_both_languages(kind: Kind) -> None:
    described = describe(kind.name)
    assert [line.name for line in described] == [field.name for field in kind.fields]
    for line in described:
        assert line.english.isascii()
        assert not line.chinese.isascii()
        assert line.headers[:2] == (line.name, line.chinese)
        assert line.type
