"""An answer says what it is an answer to: definition, parameters, position, cut, and whether it
will stay the same."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from crm_events.contracts.contacts import StaffRegistered
from crm_events.contracts.pipeline import DealOpened, PipelineDefined, Stage
from crm_events.event import Money, Staff
from crm_projections.engine.database import Database
from crm_projections.engine.instants import micros
from crm_projections.engine.marks import known_at

from tests.projections.rig import lead
from tests.projections.served import Served, serving
from tests.support.until import until

FIRST = Stage(key="first", name="First", rank=1, probability=0.1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
async def served(database: Database) -> AsyncIterator[Served]:
    async with serving(database) as found:
        found.log.append(lead(0), PipelineDefined(key="sales", name="Sales", stages=(FIRST,)))
        yield found


@pytest.fixture
async def local(sqlite: Database) -> AsyncIterator[Served]:
    """For what does not depend on the kind of database."""
    async with serving(sqlite) as found:
        found.log.append(lead(0), PipelineDefined(key="sales", name="Sales", stages=(FIRST,)))
        yield found


def _open(served: Served, deal: int, owner: UUID | None = None) -> str:
    """Answers the position of the opened deal, as a command would."""
    staff = Staff(id=owner) if owner else None
    event = DealOpened(pipeline="sales", pipeline_version=1, stage=FIRST, owner=staff)
    envelope = served.log.append(lead(deal), event)[0]
    return f"pipeline/{envelope.partition}/{envelope.sequence}"


async def test_an_answer_includes_what_it_waited_for(served: Served) -> None:
    for deal in range(1, 6):
        position = _open(served, deal)
        answer = await served.get("/funnel", after=position)
        assert answer["totals"]["units"] == deal


async def test_a_header_names_positions_too(local: Served) -> None:
    position = _open(local, 1)
    answer = await local.client.get("/v1/views/funnel", headers={"Crm-After": position})
    assert answer.json()["totals"]["units"] == 1


async def test_what_does_not_come_in_time_is_said(local: Served) -> None:
    parameters = {"after": "pipeline/3/999", "wait": "0.1"}
    answer = await local.client.get("/v1/views/funnel", params=parameters)
    assert answer.status_code == 503
    assert answer.json()["type"] == "/problems/view-behind"
    assert int(answer.headers["Retry-After"]) >= 1


async def test_positions_of_other_contexts_hold_nobody_up(local: Served) -> None:
    await local.get("/retention", after="ticketing/3/999", wait=0)


async def test_an_answer_can_be_cited_by_its_position(served: Served) -> None:
    _open(served, 1)
    await served.settle()
    first = await served.get("/funnel", as_of="2026-06-01")
    assert first["citable"], first["not_citable"]
    assert first["definition"] == {"id": "funnel", "version": 4}
    at = [f"{context}/*/{sequence}" for context, sequence in first["position"].items()]
    _open(served, 2)
    await served.settle()
    again = await served.get("/funnel", as_of="2026-06-01", at=at)
    assert (again["totals"], again["rows"]) == (first["totals"], first["rows"])
    assert again["citable"]
    assert again["known"] == first["position"]
    now = await served.get("/funnel", as_of="2026-06-01")
    assert now["totals"]["units"] == 2


async def test_known_at_answers_what_was_known_then(served: Served) -> None:
    _open(served, 1)
    _mark(served, NOON)
    _open(served, 2)
    _mark(served, NOON + timedelta(hours=1))
    await served.settle()
    await _marked(served, NOON + timedelta(hours=1))
    answer = await served.get("/funnel", known_at="2026-03-01T12:30:00Z")
    assert answer["totals"]["units"] == 1
    assert answer["known"] == {"contacts": 0, "pipeline": 2}
    assert answer["citable"]


async def test_known_at_after_the_last_mark_is_open(local: Served) -> None:
    _open(local, 1)
    _mark(local, NOON)
    await local.settle()
    await _marked(local, NOON)
    answer = await local.get("/funnel", known_at="2026-03-02")
    assert answer["totals"]["units"] == 1
    assert answer["not_citable"] == ["known_at lies after the last mark"]


async def test_nothing_parked_is_a_condition_of_citing(local: Served) -> None:
    local.log.append_raw(lead(1), DealOpened.TYPE, b"{}")
    await local.settle()
    answer = await local.get("/funnel")
    assert answer["not_citable"] == ["1 events are parked"]


async def test_groups_carry_names_beside_ids(served: Served) -> None:
    served.log.append(lead(7), StaffRegistered(name="Ada Lovelace"))
    _open(served, 1, owner=lead(7))
    _open(served, 2, owner=lead(8))
    _open(served, 3)
    await served.settle()
    answer = await served.get("/funnel", by="owner")
    named = {group["key"]: group["name"] for group in answer["groups"]}
    assert named == {str(lead(7)): "Ada Lovelace", str(lead(8)): None, None: None}


async def test_an_erased_name_is_blank_after_a_rebuild(served: Served) -> None:
    served.log.append(lead(7), StaffRegistered(name="Ada Lovelace"))
    _open(served, 1, owner=lead(7))
    await served.settle()
    served.keys.erase(lead(7))
    await served.host.rebuild("names")
    answer = await served.get("/funnel", by="owner")
    assert answer["groups"][0]["name"] is None


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"by": "colour"}, "by"),
        ({"from": "yesterday"}, "from"),
        ({"after": "pipeline/99/1"}, "after"),
        ({"at": "pipeline/*/1"}, "at"),
        ({"wait": "1000"}, "wait"),
        ({"mode": "sideways"}, "mode"),
    ],
)
async def test_wrong_parameters_are_named(
    local: Served, parameters: dict[str, Any], field: str
) -> None:
    answer = await local.client.get("/v1/views/funnel", params=parameters)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_the_last_day_there_is_can_be_asked_about(local: Served) -> None:
    answer = await local.get("/funnel", to="9999-12-31", as_of="9999-12-31", known_at="9999-12-31")
    assert answer["parameters"]["as_of"] == "9999-12-31T23:59:59.999999+00:00"


@pytest.mark.parametrize("name", ["from", "to", "as_of", "known_at"])
@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_times_beyond_what_can_be_told_are_refused(
    local: Served, name: str, moment: str
) -> None:
    answer = await local.client.get("/v1/views/funnel", params={name: moment})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, name)
    assert "year" in answer.json()["errors"][0]["reason"]


async def test_sums_are_exact_beyond_what_64_bits_hold(served: Served) -> None:
    most = Money(amount=Decimal("99999999999999.9999"), currency="EUR")
    opened = DealOpened(pipeline="sales", pipeline_version=1, stage=FIRST, amount=most)
    for deal in range(1, 12):
        served.log.append(lead(deal), opened)
    await served.settle()
    answer = await served.get("/funnel")
    assert answer["totals"]["open_amount"]["amount"] == "1099999999999999.9989"


async def test_an_unknown_view_lists_those_there_are(local: Served) -> None:
    answer = await local.client.get("/v1/views/happiness")
    assert answer.status_code == 404
    assert "funnel, satisfaction, retention" in answer.json()["detail"]


async def test_an_unknown_pipeline_is_refused(local: Served) -> None:
    await local.settle()
    answer = await local.client.get("/v1/views/funnel", params={"pipeline": "none"})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/pipeline-unknown")


async def test_the_description_names_every_parameter(local: Served) -> None:
    described = (await local.client.get("/openapi.json")).json()
    parameters = described["paths"]["/v1/views/funnel"]["get"]["parameters"]
    named = {parameter["name"] for parameter in parameters}
    assert named >= {"from", "to", "as_of", "known_at", "at", "by", "mode", "after", "wait"}


def _mark(served: Served, at: datetime) -> None:
    for context in ("contacts", "pipeline"):
        served.log.mark(context, at)


async def _marked(served: Served, at: datetime) -> None:
    """Marks travel beside the events; wait until this one has come."""

    def settled() -> bool:
        with served.views.database.reading() as connection:
            return known_at(connection, ("contacts", "pipeline"), micros(at)).settled

    await until(settled)
