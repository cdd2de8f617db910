"""Rows in, one outcome for each; the same file again changes nothing."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from crm_contacts.application import ContactsApplication
from crm_contacts.imports.leads import LeadImport
from crm_events.contracts.contacts import (
    LeadAssigned,
    LeadCaptured,
    LeadDisqualified,
    LeadQualified,
    LeadTagged,
    OrganisationRegistered,
    StaffChanged,
    StaffRegistered,
)
from crm_events.ids import derived_id
from crm_service.hosting import Storage
from crm_service.importing.protocol import ImportIn
from crm_service.importing.rows import RowImport

from tests.contacts.interrupted import Interrupted, cause
from tests.contacts.telling import qualified
from tests.support.contexts import SECRET, Running

Values = Mapping[str, Any]
Results = list[dict[str, Any]]


def rows(*values: Values, keys: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Rows as a client sends them; the key is the name unless it is given."""
    named = keys or [str(row.get("name", number)) for number, row in enumerate(values)]
    return [
        {
            "line": line,
            "key": key,
            "row_hash": hashlib.sha256(orjson.dumps(row)).hexdigest(),
            "values": row,
        }
        for line, (key, row) in enumerate(zip(named, values, strict=True), 2)
    ]


async def imported(contacts: Running, kind: str, sent: Any, **more: Any) -> Results:
    answer = await contacts.post(f"/imports/{kind}", {"source": "file", "rows": sent, **more})
    assert answer.status_code == 200, answer.text
    assert answer.json()["position"] == {"context": "contacts", "sequence": contacts.head()}
    found: Results = answer.json()["results"]
    return found


def statuses(results: Results) -> list[str]:
    return [result["status"] for result in results]


MEI = {"name": "Mei Lin", "team": "North", "region": "Central"}
TOM = {"name": "Tom", "team": "South"}
LEAD = {"name": "Li Na", "source": "fair", "captured_at": "2025-11-05T00:00:00Z", "tags": ["a"]}


async def test_rows_become_things_with_derived_ids(contacts: Running) -> None:
    first, second = await imported(contacts, "staff", rows(MEI, TOM))
    assert first == {
        "line": 2,
        "status": "accepted",
        "id": str(derived_id(SECRET, "file", "staff", "Mei Lin")),
    }
    assert contacts.events(second["id"]) == [StaffRegistered(name="Tom", team="South")]
    assert {(e.origin, e.actor) for e in contacts.log()} == {("import", "local:tester")}


async def test_same_file_again_changes_nothing(contacts: Running) -> None:
    first = await imported(contacts, "staff", rows(MEI, TOM))
    before = contacts.head()
    again = await imported(contacts, "staff", rows(MEI, TOM))
    assert statuses(again) == ["unchanged", "unchanged"]
    assert [r["id"] for r in again] == [r["id"] for r in first]
    assert contacts.head() == before


async def test_changed_row_emits_only_its_difference(contacts: Running) -> None:
    await imported(contacts, "staff", rows(MEI, TOM))
    before = contacts.head()
    results = await imported(contacts, "staff", rows(MEI | {"team": "West"}, TOM))
    assert statuses(results) == ["accepted", "unchanged"]
    assert contacts.events(after=before) == [
        StaffChanged(name="Mei Lin", team="West", region="Central")
    ]


async def test_going_back_to_an_earlier_row_is_a_command_of_its_own(contacts: Running) -> None:
    moved = MEI | {"team": "West"}
    for row in (MEI, moved, MEI, moved):
        assert statuses(await imported(contacts, "staff", rows(row))) == ["accepted"]
    log = contacts.log()
    assert [getattr(contacts.event(e), "team", "") for e in log] == ["North", "West"] * 2
    assert len({e.command_id for e in log}) == 3, "the same step again is the same command"


async def test_column_that_is_missing_takes_nothing_away(contacts: Running) -> None:
    (first,) = await imported(contacts, "staff", rows(MEI))
    await imported(contacts, "staff", rows({"name": "Mei Lin", "region": "West"}))
    assert contacts.events(first["id"])[-1] == StaffChanged(
        name="Mei Lin", team="North", region="West"
    )


async def test_stub_is_filled_by_its_own_record(contacts: Running) -> None:
    names = {"source": "calls", "kind": "staff", "names": ["mei lin"]}
    (stub,) = (await contacts.post("/names:resolve", names)).json()["matches"]
    (filled,) = await imported(contacts, "staff", rows(MEI))
    assert filled["id"] == stub["id"]
    assert contacts.events(stub["id"]) == [
        StaffRegistered(name="mei lin", stub=True),
        StaffChanged(name="Mei Lin", team="North", region="Central"),
    ]
    before = contacts.head()
    again = await imported(contacts, "staff", rows(MEI))
    assert (again[0]["status"], again[0]["id"]) == ("unchanged", stub["id"])
    moved = await imported(contacts, "staff", rows(MEI | {"team": "West"}))
    assert moved[0]["id"] == stub["id"]
    assert len(contacts.events(after=before)) == 1


async def test_stub_is_taken_up_by_one_row_only(contacts: Running) -> None:
    names = {"source": "calls", "kind": "organisation", "names": ["Acme"]}
    (stub,) = (await contacts.post("/names:resolve", names)).json()["matches"]
    sent = rows({"name": "Acme", "region": "N"}, {"name": "acme", "region": "S"}, keys=["1", "2"])
    first, second = await imported(contacts, "organisations", sent)
    assert first["id"] == stub["id"]
    assert contacts.events(second["id"]) == [OrganisationRegistered(name="acme", region="S")]


async def test_dry_run_tells_and_writes_nothing(contacts: Running, storage: Storage) -> None:
    sent = rows(MEI, {"name": "Tom", "manager_id": str(UUID(int=5))}, {"team": "x"})
    results = await imported(contacts, "staff", sent, dry_run=True)
    assert statuses(results) == ["accepted", "accepted", "refused"]
    assert contacts.head() == 0
    assert not storage.recorder.imported([UUID(result["id"]) for result in results[:2]])
    assert statuses(await imported(contacts, "staff", rows(MEI))) == ["accepted"]


async def test_bad_row_stops_no_other(contacts: Running) -> None:
    sent = rows(
        MEI,
        {"name": "Tom", "manager_id": str(UUID(int=5))},
        {"name": "Ann", "team": ""},
        {"name": "Bob", "shoe_size": "44"},
        {"team": "North"},
        TOM | {"name": "Tim"},
    )
    results = await imported(contacts, "staff", sent)
    assert statuses(results) == ["accepted", *["refused"] * 4, "accepted"]
    assert [r.get("column") for r in results[1:5]] == ["manager", "team", "shoe_size", "name"]
    assert "resolve the name first" in results[1]["reason"]
    assert results[3]["reason"] == "unknown field"
    assert len(contacts.log()) == 2


async def test_nobody_is_imported_as_their_own_manager(contacts: Running) -> None:
    boss = {"name": "Tom", "manager_id": str(derived_id(SECRET, "file", "staff", "Tom"))}
    (result,) = await imported(contacts, "staff", rows(boss))
    assert (result["status"], result["column"]) == ("refused", "manager")
    assert contacts.head() == 0


async def test_owner_nobody_knows_is_refused_with_the_column(contacts: Running) -> None:
    (result,) = await imported(contacts, "leads", rows(LEAD | {"owner_id": str(UUID(int=5))}))
    assert (result["status"], result["column"]) == ("refused", "owner")


async def test_refused_row_goes_in_once_it_is_right(contacts: Running) -> None:
    assert statuses(await imported(contacts, "staff", rows({"team": "x"}, keys=["1"]))) == [
        "refused"
    ]
    assert statuses(await imported(contacts, "staff", rows(MEI, keys=["1"]))) == ["accepted"]


async def test_key_that_occurs_twice_is_taken_in_order(contacts: Running) -> None:
    sent = rows(MEI, MEI | {"team": "West"}, MEI | {"team": "East"}, keys=["1", "1", "1"])
    results = await imported(contacts, "staff", sent)
    assert statuses(results) == ["accepted"] * 3
    (last,) = {result["id"] for result in results}
    assert [getattr(e, "team", "") for e in contacts.events(last)] == ["North", "West", "East"]


async def test_rows_of_a_key_that_has_settled_change_nothing(contacts: Running) -> None:
    sent = rows(MEI, MEI | {"team": "West"}, keys=["1", "1"])
    sent[0]["settled"] = sent[1]["row_hash"]
    assert statuses(await imported(contacts, "staff", sent)) == ["accepted"] * 2
    head = contacts.head()
    assert statuses(await imported(contacts, "staff", sent)) == ["unchanged"] * 2
    assert contacts.head() == head


async def test_amount_of_too_many_places_is_refused_by_its_column(contacts: Running) -> None:
    sent = rows({"name": "Acme", "revenue": "3.010348"}, {"name": "Bolt", "revenue": "3.0103"})
    refused, taken = await imported(contacts, "organisations", sent)
    assert (refused["status"], refused["column"]) == ("refused", "revenue")
    assert "4 decimal places" in refused["reason"]
    assert taken["status"] == "accepted"


async def test_organisations_bring_revenue_in_a_currency(contacts: Running) -> None:
    sent = rows(
        {"name": "Acme", "revenue": "1100.04", "parent": "Holding"},
        {"name": "Bolt", "revenue": "7", "currency": "USD"},
    )
    first, second = await imported(contacts, "organisations", sent)
    acme, bolt = contacts.events(first["id"])[0], contacts.events(second["id"])[0]
    assert isinstance(acme, OrganisationRegistered)
    assert isinstance(bolt, OrganisationRegistered)
    assert acme.revenue is not None
    assert bolt.revenue is not None
    assert (str(acme.revenue.amount), acme.revenue.currency) == ("1100.04", "EUR")
    assert (acme.parent_name, bolt.revenue.currency) == ("Holding", "USD")
    before = contacts.head()
    again = await imported(contacts, "organisations", rows({"name": "Acme", "revenue": "1100.040"}))
    assert (statuses(again), contacts.head()) == (["unchanged"], before)


async def test_imported_name_resolves(contacts: Running) -> None:
    (acme,) = await imported(contacts, "organisations", rows({"name": "Acme Corp"}))
    names = {"source": "deals", "kind": "organisation", "names": ["AcmeCorp"]}
    (match,) = (await contacts.post("/names:resolve", names)).json()["matches"]
    assert (match["id"], match["how"], match["stub"]) == (acme["id"], "folded", False)


async def test_leads_come_in_at_their_time_and_state(contacts: Running) -> None:
    sent = rows(
        LEAD,
        LEAD | {"name": "Ann", "status": "Qualified"},
        LEAD | {"name": "Bob", "status": "无效"},
        LEAD | {"name": "Cy", "status": "Converted"},
        LEAD | {"name": "Di", "status": "on the moon"},
        LEAD | {"name": "Ed", "captured_at": "2999-01-01T00:00:00Z"},
    )
    results = await imported(contacts, "leads", sent)
    assert statuses(results) == ["accepted"] * 3 + ["refused"] * 3
    assert [r.get("column") for r in results[3:]] == ["status", "status", "captured_at"]
    kinds = [[type(e) for e in contacts.events(r["id"])] for r in results[:3]]
    assert kinds == [
        [LeadCaptured],
        [LeadCaptured, LeadQualified],
        [LeadCaptured, LeadDisqualified],
    ]
    assert {e.occurred_at for e in contacts.log()} == {datetime(2025, 11, 5, tzinfo=UTC)}


async def test_changed_lead_emits_owner_tags_and_state(contacts: Running) -> None:
    (mei,) = await imported(contacts, "staff", rows(MEI))
    (lead,) = await imported(contacts, "leads", rows(LEAD))
    changed = LEAD | {"owner_id": mei["id"], "tags": ["b"], "status": "qualified"}
    assert statuses(await imported(contacts, "leads", rows(changed))) == ["accepted"]
    captured, assigned, *rest = contacts.events(lead["id"])
    assert isinstance(assigned, LeadAssigned)
    assert (str(assigned.owner.id), assigned.owner.team) == (mei["id"], "North")
    assert rest == [LeadTagged(tag="b"), qualified(captured)]


async def test_what_was_said_at_the_capture_stays(contacts: Running) -> None:
    await imported(contacts, "leads", rows(LEAD))
    before = contacts.head()
    (result,) = await imported(contacts, "leads", rows(LEAD | {"source": "web"}))
    assert (result["status"], result["column"]) == ("refused", "source")
    assert contacts.head() == before


async def test_erased_person_is_not_imported_again(contacts: Running, storage: Storage) -> None:
    first, _ = await imported(contacts, "staff", rows(MEI, TOM))
    storage.keys.erase(UUID(first["id"]))
    again = await imported(contacts, "staff", rows(MEI | {"team": "W"}, TOM | {"team": "W"}))
    assert statuses(again) == ["refused", "accepted"]
    assert "erased" in again[0]["reason"]


async def test_row_that_lost_a_race_is_decided_again(contacts: Running, storage: Storage) -> None:
    ann = LEAD | {"name": "Ann"}
    first, second = await imported(contacts, "leads", rows(LEAD, ann))
    slow = Interrupted(storage.recorder, storage.codec(), storage.secret)
    quick = contacts.context.app
    assert isinstance(quick, ContactsApplication)
    slow.meanwhile = lambda: quick.qualify_lead(cause(), UUID(first["id"]), None)
    changed = [row | {"tags": ["b"], "status": "qualified"} for row in (LEAD, ann)]
    request = ImportIn.model_validate({"source": "file", "rows": rows(*changed)})
    results = RowImport(slow, SECRET, LeadImport(slow, request), request, cause()).run()
    assert [result.status for result in results] == ["accepted", "accepted"]
    captured, *rest = contacts.events(first["id"])
    assert rest == [qualified(captured), LeadTagged(tag="b")]
    captured, *rest = contacts.events(second["id"])
    assert rest == [LeadTagged(tag="b"), qualified(captured)]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("planets", {"source": "f", "rows": rows(MEI)}, 404),
        ("staff", {"source": "f", "rows": []}, 422),
        ("staff", {"source": "f", "rows": rows(MEI), "options": {"colour": "red"}}, 422),
        ("staff", {"source": "f", "rows": rows(*[MEI] * 1_001)}, 422),
    ],
    ids=["unknown kind", "no rows", "unknown option", "too many rows"],
)
async def test_request_that_makes_no_sense_is_refused(
    contacts: Running, path: str, body: dict[str, Any], status: int
) -> None:
    answer = await contacts.post(f"/imports/{path}", body)
    assert answer.status_code == status
    assert contacts.head() == 0
