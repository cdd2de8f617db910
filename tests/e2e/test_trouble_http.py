"""What is wrong with a request is said, and a repeated one does nothing, in both forms alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import pytest
from crm_events.ids import new_id
from crm_events.store.port import EventRecorder
from crm_events.store.reading import LogQueries

from tests.e2e.roles import Roles
from tests.e2e.speaking import client_of, problem_of, serving, speaking
from tests.e2e.stores import recorder_of

LEADS = "/v1/contacts/leads"
FORMS = ["embedded", "distributed"]


@dataclass(frozen=True, slots=True)
class Spoken:
    """A deployment to speak to; `written` grows with every event a command of ours writes."""

    client: httpx.Client
    written: Callable[[], int]


@pytest.fixture(scope="module", params=FORMS)
def spoken(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Spoken]:
    """Speaks to one process over a home, or to the gateway before all the services."""
    if request.param == "distributed":
        distributed = request.getfixturevalue("distributed")
        roles = Roles(distributed.folder)
        with (
            client_of(distributed.crm) as ours,
            closing(recorder_of(roles, "contacts")) as recorder,
        ):
            yield Spoken(ours, partial(written_by_people, recorder, recorder.safe_position()))
        return
    with (
        serving(tmp_path_factory.mktemp("spoken") / "home") as served,
        speaking(served.wait_listening()) as ours,
    ):
        yield Spoken(ours, partial(head, ours))


@pytest.fixture
def client(spoken: Spoken) -> httpx.Client:
    return spoken.client


def written_by_people(recorder: EventRecorder, after: int) -> int:
    """Events beyond a position, without those of reactions to what other tests did before. They
    are counted where they lie: a reader is told of them once no transaction before them is open."""
    assert isinstance(recorder, LogQueries)
    ((count,),) = recorder.rows(
        "SELECT count(*) FROM events WHERE position > ? AND actor NOT LIKE ? AND actor NOT LIKE ?",
        *(after, "reaction:%", "timer:%"),
    )
    return int(count)


def lead(**more: Any) -> dict[str, Any]:
    return {"name": "Ada", "source": "web", **more}


def keyed(key: str | None = None) -> dict[str, str]:
    return {"Idempotency-Key": key or new_id().hex}


def captured(client: httpx.Client) -> httpx.Response:
    answer = client.post(LEADS, json=lead())
    assert answer.status_code == 201, answer.text
    return answer


def errors_of(answer: httpx.Response) -> dict[str, str]:
    """Field to reason; everything wrong is named at once."""
    found = problem_of(answer, 422, "validation")["errors"]
    return {error["field"]: error["reason"] for error in found}


def head(client: httpx.Client) -> int:
    return int(client.get("/v1/contacts/position").json()["sequence"])


# --- what is wrong is said ---


def test_wrong_body_is_told_field_and_reason(spoken: Spoken) -> None:
    before = spoken.written()
    errors = errors_of(spoken.client.post(LEADS, json=lead(name=7, source=None, tags="a,b")))
    assert errors.keys() == {"name", "source", "tags"}
    assert all(errors.values())
    assert spoken.written() == before


def test_missing_field_is_named(client: httpx.Client) -> None:
    assert errors_of(client.post(LEADS, json={"name": "Ada"})) == {"source": "required"}


def test_unknown_field_is_refused(client: httpx.Client) -> None:
    errors = errors_of(client.post(LEADS, json=lead(emial="ada@example.com")))
    assert errors == {"emial": "unknown field"}


def test_nested_field_is_named_by_its_path(client: httpx.Client) -> None:
    order = {"customer_id": str(new_id()), "total": {"amount": 10.5, "currency": "USD"}}
    errors = errors_of(client.post("/v1/pipeline/orders", json=order))
    assert errors == {"total.amount": 'send a decimal string such as "1250.00"'}


def test_what_is_no_json_is_refused(client: httpx.Client) -> None:
    typed = {"Content-Type": "application/json"}
    problem_of(client.post(LEADS, content=b'{"name": ', headers=typed), 400, "malformed-json")
    plain = client.post(LEADS, content=b"name=Ada", headers={"Content-Type": "text/plain"})
    problem_of(plain, 415, "unsupported-media-type")


def test_unknown_parameter_of_a_view_is_refused(client: httpx.Client) -> None:
    answer = client.get("/v1/views/funnel", params={"asof": "2026-01-01"})
    assert errors_of(answer) == {"asof": "unknown field"}


def test_what_is_not_there_is_told(client: httpx.Client) -> None:
    problem_of(client.post(f"{LEADS}/{new_id()}:qualify", json={}), 404, "not-found")
    problem_of(client.get("/v1/views/tunnel"), 404, "not-found")


# --- versions ---


def test_stale_version_is_told_the_current_one(client: httpx.Client) -> None:
    made = captured(client)
    path = f"{LEADS}/{made.json()['id']}"
    assert made.headers["etag"] == '"1"'
    changed = client.post(f"{path}:tag", json={"tag": "hot"}, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    stale = client.post(f"{path}:qualify", json={}, headers={"If-Match": '"1"'})
    assert problem_of(stale, 412, "stale-version")["current_version"] == 2
    fresh = client.post(f"{path}:qualify", json={}, headers={"If-Match": '"2"'})
    assert fresh.status_code == 200


def test_of_many_at_once_one_wins(client: httpx.Client) -> None:
    """Whoever read version 1 and comes second hears of version 2, and nothing is lost between."""
    path = f"{LEADS}/{captured(client).json()['id']}:tag"

    def tag(number: int) -> httpx.Response:
        return client.post(path, json={"tag": f"t{number}"}, headers={"If-Match": '"1"'})

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(tag, range(8)))
    won = [answer for answer in answers if answer.status_code == 200]
    lost = [answer for answer in answers if answer.status_code != 200]
    assert [answer.json()["version"] for answer in won] == [2]
    versions = [problem_of(answer, 412, "stale-version")["current_version"] for answer in lost]
    assert versions == [2] * 7


# --- repetition ---


def test_repeated_key_is_answered_the_same(spoken: Spoken) -> None:
    headers = keyed()
    first = spoken.client.post(LEADS, json=lead(), headers=headers)
    before = spoken.written()
    again = spoken.client.post(LEADS, json=lead(), headers=headers)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert spoken.written() == before


def test_same_key_with_another_body_is_refused(spoken: Spoken) -> None:
    headers = keyed()
    assert spoken.client.post(LEADS, json=lead(), headers=headers).status_code == 201
    before = spoken.written()
    other = spoken.client.post(LEADS, json=lead(name="Grace"), headers=headers)
    problem_of(other, 422, "idempotency-key-reused")
    assert spoken.written() == before


def test_key_sent_many_times_at_once_does_it_once(client: httpx.Client) -> None:
    headers, before = keyed(), head(client)
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: client.post(LEADS, json=lead(), headers=headers), "x" * 8)
        )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    position = answers[0].json()["position"]
    assert position["sequence"] > before
    assert {answer.json()["position"]["sequence"] for answer in answers} == {position["sequence"]}


def test_refusal_is_not_remembered(client: httpx.Client) -> None:
    """Only what was done is: corrected, the request may come again under its key."""
    headers = keyed()
    assert errors_of(client.post(LEADS, json=lead(wrong=1), headers=headers))
    assert client.post(LEADS, json=lead(), headers=headers).status_code == 201


def test_own_write_is_read(client: httpx.Client) -> None:
    position = captured(client).json()["position"]
    token = "{context}/{partition}/{sequence}".format(**position)
    asked: dict[str, Any] = {"pipeline": "leads", "after": token, "wait": 30}
    answer = client.get("/v1/views/funnel", params=asked)
    assert answer.status_code == 200, answer.text
    assert answer.json()["totals"]["units"] >= 1
