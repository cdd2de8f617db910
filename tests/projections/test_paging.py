"""A page by one statement is the page that the long way gives, byte for byte, whatever happens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import httpx
import orjson
import pytest
from crm_events.contracts.contacts import StaffChanged, StaffRegistered, SubjectErased
from crm_events.contracts.pipeline import DealOpened, DealWon, PipelineDefined, Stage
from crm_events.event import Money, Staff
from crm_projections.api.answering import Answering
from crm_projections.api.asking import Question
from crm_projections.api.paging import Paging
from crm_projections.engine.database import Database
from crm_projections.engine.generation import find_all_live, open_generation
from crm_projections.engine.instants import micros
from crm_projections.engine.view import Cut
from crm_projections.views import names
from crm_projections.views.funnel.listing import UnitParameters, UnitsView
from crm_service.direct_questions import DirectQuestions, table_of
from crm_service.principals import Principals, local_user
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from tests.projections.rig import lead
from tests.projections.served import Served, serving
from tests.support.viewing import UTC_EURO

NOW = datetime(2100, 1, 1, tzinfo=UTC)
STAGES = tuple(
    Stage(key=key, name=key.title(), rank=rank, probability=0.1)
    for rank, key in enumerate(("aware", "trial", "offer"), 1)
)
MEI = UUID(int=77)


@pytest.fixture
async def served(database: Database) -> AsyncIterator[Served]:
    async with serving(database) as found:
        await _fill(found)
        yield found


@pytest.fixture
async def local(sqlite: Database) -> AsyncIterator[Served]:
    """For what does not depend on the kind of database."""
    async with serving(sqlite) as found:
        await _fill(found)
        yield found


async def _fill(found: Served) -> None:
    found.log.append(lead(0), PipelineDefined(key="sales", name="Sales", stages=STAGES))
    found.log.append(MEI, StaffRegistered(name='Mei "M" Łi'))
    for deal in range(1, 8):
        _open(found, deal)
    found.log.append(lead(3), DealWon(stage=STAGES[1]))
    await found.settle()


def _open(served: Served, deal: int) -> None:
    served.log.append(
        lead(deal),
        DealOpened(
            pipeline="sales",
            pipeline_version=1,
            stage=STAGES[deal % 3],
            owner=Staff(id=MEI, region="Asia") if deal % 2 else None,
            amount=Money(amount=Decimal(f"{deal}.{deal}5"), currency="EUR") if deal % 3 else None,
        ),
    )


class Both:
    """The short way and the long one, over one database at one instant."""

    def __init__(self, served: Served) -> None:
        database = served.views.database
        self.view = served.views.lists["units"]
        self.paging = Paging(database, names(), lambda: NOW)
        self.answering = Answering(database, names(), lambda: NOW)

    def short(self, at: dict[str, int] | None = None, **asked: Any) -> dict[str, Any] | None:
        return self.paging.page(self.view, _question(at, asked))

    def long(self, at: dict[str, int] | None = None, **asked: Any) -> dict[str, Any]:
        return self.answering.answer(self.view, _question(at, asked))

    def page(self, at: dict[str, int] | None = None, **asked: Any) -> dict[str, Any]:
        """By one statement, at the second time of asking at the latest; as the long way has it."""
        found = self.short(at, **asked) or self.short(at, **asked)
        assert found is not None
        assert _bytes(found) == _bytes(self.long(at, **asked))
        told: dict[str, Any] = orjson.loads(_bytes(found))
        return told


def _question(at: dict[str, int] | None, asked: dict[str, Any]) -> Question:
    return Question(UnitParameters.model_validate(asked), at, (), 0.0)


def _bytes(answer: Any) -> bytes:
    return orjson.dumps(answer)


QUESTIONS: list[dict[str, Any]] = [
    {},
    {"limit": 3},
    {"pipeline": "sales", "state": "won"},
    {"stage": "trial"},
    {"reached": "trial"},
    {"furthest": "aware"},
    {"by": "owner", "key": str(MEI)},
    {"by": "region"},
    {"from": "2000-01-01", "to": "2099-01-01", "as_of": "2098-01-01"},
]


@pytest.mark.parametrize("asked", QUESTIONS, ids=str)
async def test_both_ways_answer_alike(served: Served, asked: dict[str, Any]) -> None:
    both = Both(served)
    assert both.page(**asked)["rows"]
    assert both.page({"contacts": 1, "pipeline": 9}, **asked)["known"]


async def test_pages_follow_one_another(served: Served) -> None:
    both, seen, cursor = Both(served), list[Any](), None
    while True:
        page = both.page(limit=3, cursor=cursor)
        seen += [row["id"] for row in page["rows"]]
        if (cursor := page["next"]) is None:
            break
    assert len(set(seen)) == len(seen) == 7


@pytest.mark.parametrize("asked", [{}, {"state": "open"}, {"cursor": f"1.{lead(1).hex}"}], ids=str)
async def test_a_page_is_found_in_its_order(local: Served, asked: dict[str, Any]) -> None:
    """Nothing is sorted or passed over: what a page costs does not grow with the list."""
    view, parameters = UnitsView(UTC_EURO), UnitParameters.model_validate(asked)
    with local.views.database.reading() as connection:
        live, _ = find_all_live(connection, (view, names()))
        assert live is not None
        tables = open_generation(view, live).tables
        grounds = view.grounds(connection, tables)
        listing = view.listing(tables, grounds, Cut(micros(NOW)), parameters)
        assert listing is not None
        compiled = listing.statement.compile(
            connection, compile_kwargs={"render_postcompile": True}
        )
        values = [
            {**compiled.params, **listing.values}[name] for name in compiled.positiontup or ()
        ]
        given = tuple(each.hex if isinstance(each, UUID) else each for each in values)
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", given).all()
    assert [row.detail for row in plan if "ORDER BY" in row.detail] == []
    assert "_list" in plan[0].detail
    assert ("entered_at<" in plan[0].detail) is ("cursor" in asked)


@pytest.mark.parametrize("asked", [{"state": "lost"}, {"pipeline": "leads"}, {"known_at": NOW}])
async def test_what_it_does_not_suit_is_left_to_the_long_way(
    served: Served, asked: dict[str, Any]
) -> None:
    asked = {n: v if n != "known_at" else v.isoformat() for n, v in asked.items()}
    both = Both(served)
    assert [both.short(**asked), both.short(**asked)] == [None, None]
    assert both.long(**asked)["rows"] == []


async def test_what_came_since_is_on_the_next_page_asked_for(served: Served) -> None:
    both = Both(served)
    before = both.page()
    _open(served, 9)
    await served.settle()
    after = both.page()
    assert (len(before["rows"]), len(after["rows"])) == (7, 8)
    assert after["position"]["pipeline"] == before["position"]["pipeline"] + 1


async def test_a_name_is_shown_as_it_is_now(served: Served) -> None:
    both = Both(served)
    assert _owners(both.page()) == {'Mei "M" Łi', None}
    served.log.append(MEI, StaffChanged(name="Li Mei"))
    await served.settle()
    assert _owners(both.page()) == {"Li Mei", None}
    served.log.append(MEI, SubjectErased(subject_id=MEI, reason="request", statement="0" * 64))
    await served.settle()
    assert _owners(both.page()) == {None}


def _owners(page: dict[str, Any]) -> set[str | None]:
    return {row["owner_name"] for row in page["rows"]}


async def test_views_that_were_rebuilt_are_found_again(served: Served) -> None:
    both = Both(served)
    both.page()
    for view in ("funnel", "names"):
        for _ in range(2):  # the tables that were remembered are dropped by the second
            await served.host.rebuild(view)
        await served.settle()
        assert both.short() is None
        assert _owners(both.page()) == {'Mei "M" Łi', None}


async def test_stages_that_were_defined_since_are_known(served: Served) -> None:
    both = Both(served)
    both.page(pipeline="sales")
    served.log.append(lead(90), PipelineDefined(key="second", name="Second", stages=STAGES))
    await served.settle()
    assert both.short(pipeline="sales") is None
    assert both.page(pipeline="sales")["rows"]


ASKED = [
    "", "limit=2", "limit=0", "limit=x", "limit=2.0", "limit=+2", "limit= 2", "limit=",
    "limit=2&limit=3", "pipeline=", "pipeline=nowhere", "pipeline=sales&stage=trial", "stage=x",
    "state=won", "state=", "cursor=1", "cursor=", "by=owner", "by=owner&key=x", "key=x", "by=x",
    "colour=red", "pipeline=s%61les", "from=2026-03-01&to=2026-04-01", "from=x",
    "start=2026-03-01", "known_at=2026-03-01", "at=pipeline/*/3&at=contacts/*/1", "at=x",
    "wait=1", "wait=99", "after=pipeline/*/1", "after=x", "limit=2;pipeline=sales", "limit",
    "&limit=2&", "limit=%32", "figure=won&row=Trial", "figure=", "figure=won&offset=2",
    "events=true", "events=2", "events=on&limit=5", "mode=flow", "every=week", "active_days=30",
    "active_days=x", "currency=EUR", "failure=strict", "at_before=pipeline/*/2",
]  # fmt: skip


@pytest.mark.parametrize("path", ["funnel/units", "funnel", "funnel/diff", "retention/why"])
async def test_a_question_is_read_alike_both_ways(local: Served, path: str) -> None:
    without = _api(local)
    without.user_middleware = [
        each for each in without.user_middleware if cast(Any, each.cls) is not DirectQuestions
    ]
    correlation = {"x-correlation-id": "0192d3f4-0000-7000-8000-000000000001"}
    async with _client(_api(local)) as short, _client(without) as long:
        for asked in ASKED:
            url = f"/v1/views/{path}?as_of=2099-01-01&{asked}"
            ours, theirs = [await each.get(url, headers=correlation) for each in (short, long)]
            assert (ours.status_code, ours.content) == (theirs.status_code, theirs.content), url
            assert dict(ours.headers) == dict(theirs.headers)


async def test_every_question_can_be_read_at_once(local: Served) -> None:
    table = table_of(iter_route_contexts(_api(local).routes))
    views = ("funnel", "satisfaction", "retention")
    known = {"funnel/units", *(f"{v}{each}" for v in views for each in _OF_A_VIEW)}
    assert table.keys() == {f"/v1/views/{path}" for path in known}


_OF_A_VIEW = ("", "/report", "/why", "/diff")


def _api(served: Served) -> FastAPI:
    return served.views.api(Principals("127.0.0.1", local=local_user("tester")))


def _client(api: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(api, client=("127.0.0.1", 50_000))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")
